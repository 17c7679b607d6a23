# Questions about the server that is asked are not forwarded: class CHAOS, and names at and below resolver.arpa (RFC 9462).
config never_forwarded.yaml

at 1s  client 192.0.2.10 asks version.bind TXT class 3
       client is answered version.bind TXT rcode notimp
       client 192.0.2.10 asks id.server TXT class 3
       client is answered id.server TXT rcode notimp
       client 192.0.2.10 asks any.example A class 3
       client is answered any.example A rcode notimp
       # records of class CHAOS that the configuration has
       client 192.0.2.10 asks own.example TXT class 3
       client is answered own.example TXT here ttl 60

       client 192.0.2.10 asks _dns.resolver.arpa SVCB
       client is answered _dns.resolver.arpa SVCB soa ttl 300
       client 192.0.2.10 asks resolver.arpa A
       client is answered resolver.arpa A soa ttl 300
       client 192.0.2.10 asks x.RESOLVER.arpa HTTPS
       client is answered x.RESOLVER.arpa HTTPS soa ttl 300
       upstream is not asked
       stat not_forwarded is 6

       # without the option, or with it: this server has no name
       client 192.0.2.10 asks www.example A edns option 3:
       upstream is asked www.example A options none
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered www.example A 203.0.113.1 options none

       # other names in the same zones
       client 192.0.2.10 asks notresolver.arpa A
       upstream is asked notresolver.arpa A
       upstream answers notresolver.arpa A 203.0.113.2 ttl 300
       client is answered notresolver.arpa A 203.0.113.2
       client 192.0.2.10 asks version.bind TXT
       upstream is asked version.bind TXT
       upstream answers version.bind TXT nxdomain
       client is answered version.bind TXT rcode nxdomain
       sums hold

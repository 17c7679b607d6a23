# version.bind, id.server (RFC 4892) and NSID (RFC 5001) by the settings of `policy`.
config identity.yaml

at 1s  client 192.0.2.10 asks version.bind TXT class 3
       client is answered version.bind TXT SteerDNS ttl 0
       client 192.0.2.10 asks version.server TXT class 3
       client is answered version.server TXT SteerDNS
       client 192.0.2.10 asks ID.server TXT class 3
       client is answered ID.server TXT box-1
       client 192.0.2.10 asks hostname.bind TXT class 3
       client is answered hostname.bind TXT box-1
       # another type, another name, another class
       client 192.0.2.10 asks id.server A class 3
       client is answered id.server A rcode notimp
       client 192.0.2.10 asks authors.bind TXT class 3
       client is answered authors.bind TXT rcode notimp
       upstream is not asked
       client 192.0.2.10 asks id.server TXT
       upstream is asked id.server TXT
       upstream answers id.server TXT nxdomain
       client is answered id.server TXT rcode nxdomain

       # NSID goes to the client that asks for it, and to no upstream
at 2s  client 192.0.2.10 asks www.example A edns option 3:
       upstream is asked www.example A options none
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered www.example A 203.0.113.1 options 3:626f782d31
       # the same bytes again, from the cache
at 3s  client 192.0.2.10 asks www.example A edns option 3:
       client is answered www.example A 203.0.113.1 ttl 299 options 3:626f782d31
at 4s  client 192.0.2.10 asks www.example A edns
       client is answered www.example A 203.0.113.1 ttl 298 options none
at 5s  client 192.0.2.10 asks www.example A edns option 3:
       client is answered www.example A 203.0.113.1 ttl 297 options 3:626f782d31
       upstream is not asked
       sums hold

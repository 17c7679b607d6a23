# An answer with a private address is replaced by an empty one, also in the cache; local data and zones may have them.
config rebind.yaml

at 1s  client 192.0.2.10 asks evil.example A edns
       upstream is asked evil.example A
       upstream answers evil.example A 203.0.113.1 192.168.1.1 ttl 300
       client is answered evil.example A soa ttl 60 ede 15
       client 192.0.2.10 asks evil.example A
       client is answered evil.example A soa ttl 60
       upstream is not asked
       stat private_denied is 1
       client 192.0.2.10 asks six.example AAAA edns
       upstream answers six.example AAAA fd00::1
       client is answered six.example AAAA soa ede 15
       client 192.0.2.10 asks self.example A edns
       upstream answers self.example A cname other.example 127.0.0.1
       client is answered self.example A soa ede 15
       client 192.0.2.10 asks zero.example A
       upstream answers zero.example A 0.0.0.0
       client is answered zero.example A soa
       client 192.0.2.10 asks mapped.example AAAA
       upstream answers mapped.example AAAA ::ffff:10.0.0.1
       client is answered mapped.example AAAA soa
       client 192.0.2.10 asks hints.example HTTPS
       upstream answers hints.example HTTPS 192.168.1.1
       client is answered hints.example HTTPS soa
       stat private_denied is 6
       upstream was asked six.example AAAA
       upstream was asked self.example A
       upstream was asked zero.example A
       upstream was asked mapped.example AAAA
       upstream was asked hints.example HTTPS

       # exceptions by name and by net; public addresses
at 2s  client 192.0.2.10 asks tv.lan.example A
       upstream answers tv.lan.example A 192.168.1.4
       client is answered tv.lan.example A 192.168.1.4
       client 192.0.2.10 asks vpn.example A
       upstream answers vpn.example A 10.9.8.7
       client is answered vpn.example A 10.9.8.7
       client 192.0.2.10 asks www.example A
       upstream answers www.example A 203.0.113.1
       client is answered www.example A 203.0.113.1
       client 192.0.2.10 asks none.example A
       upstream answers none.example A nxdomain soa 60 60
       client is answered none.example A rcode nxdomain soa
       # data of the configuration
       client 192.0.2.10 asks nas.lan A
       client is answered nas.lan A 192.168.1.9
       client 192.0.2.10 asks x.corp.example A
       upstream answers x.corp.example A 10.1.2.3
       client is answered x.corp.example A 10.1.2.3
       client 192.0.2.10 asks localhost A
       client is answered localhost A 127.0.0.1
       stat private_denied is 6
       sums hold

# RFC 6761, 6762, 7686, 8375, 9476 and 6303: names that no server of the public DNS has, and those that the configuration has.
config special_names.yaml

at 1s  client 192.0.2.10 asks printer.local A
       client is answered printer.local A rcode nxdomain soa zone local ttl 300 aa
       client 192.0.2.10 asks www.test A
       client is answered www.test A rcode nxdomain soa zone test ttl 300 aa
       client 192.0.2.10 asks invalid AAAA
       client is answered invalid AAAA rcode nxdomain soa zone invalid
       client 192.0.2.10 asks a.b.c.onion HTTPS
       client is answered a.b.c.onion HTTPS rcode nxdomain soa zone onion
       client 192.0.2.10 asks Name.ALT TXT
       client is answered Name.ALT TXT rcode nxdomain soa zone alt
       stat local_denied is 1
       stat special_names is 4

       # loopback: its addresses, at any depth, and their names
       client 192.0.2.10 asks localhost A
       client is answered localhost A 127.0.0.1 ttl 10800 aa
       client 192.0.2.10 asks www.localhost AAAA
       client is answered www.localhost AAAA ::1 aa
       client 192.0.2.10 asks localhost TXT
       client is answered localhost TXT soa zone localhost aa
       client 192.0.2.10 asks 1.0.0.127.in-addr.arpa PTR
       client is answered 1.0.0.127.in-addr.arpa PTR localhost aa
       client 192.0.2.10 asks 2.0.0.127.in-addr.arpa PTR
       client is answered 2.0.0.127.in-addr.arpa PTR rcode nxdomain soa zone 127.in-addr.arpa

       # empty zones: an SOA, an NS, and nothing below (RFC 8020)
at 2s  client 192.0.2.10 asks 10.in-addr.arpa SOA
       client is answered 10.in-addr.arpa SOA 10.in-addr.arpa ttl 10800 aa
       client 192.0.2.10 asks 10.in-addr.arpa NS
       client is answered 10.in-addr.arpa NS 10.in-addr.arpa aa
       client 192.0.2.10 asks 10.in-addr.arpa A
       client is answered 10.in-addr.arpa A soa zone 10.in-addr.arpa aa
       client 192.0.2.10 asks 4.3.2.10.in-addr.arpa PTR
       client is answered 4.3.2.10.in-addr.arpa PTR rcode nxdomain soa zone 10.in-addr.arpa aa
       client 192.0.2.10 asks 1.16.172.in-addr.arpa PTR
       client is answered 1.16.172.in-addr.arpa PTR rcode nxdomain soa zone 16.172.in-addr.arpa
       client 192.0.2.10 asks 9.127.100.in-addr.arpa PTR
       client is answered 9.127.100.in-addr.arpa PTR rcode nxdomain soa zone 127.100.in-addr.arpa
       client 192.0.2.10 asks 1.0.0.0.c.f.ip6.arpa PTR
       upstream 198.51.100.53 is asked 1.0.0.0.c.f.ip6.arpa PTR
       upstream answers 1.0.0.0.c.f.ip6.arpa PTR nxdomain soa 60 60
       client 192.0.2.10 asks 1.0.0.0.d.f.ip6.arpa PTR
       client is answered 1.0.0.0.d.f.ip6.arpa PTR rcode nxdomain soa zone d.f.ip6.arpa
       client 192.0.2.10 asks www.home.arpa A
       client is answered www.home.arpa A rcode nxdomain soa zone home.arpa
       upstream is not asked

       # the DS record of a zone is its parent's (RFC 4035 3.1.4.1, RFC 8375 4)
at 3s  client 192.0.2.10 asks home.arpa DS
       upstream 198.51.100.53 is asked home.arpa DS
       upstream answers home.arpa DS empty soa 60 60
       client is answered home.arpa DS soa
       client 192.0.2.10 asks www.home.arpa DS
       client is answered www.home.arpa DS rcode nxdomain soa zone home.arpa

       # records and zones of the configuration come first; so does a rule that names one
at 4s  client 192.0.2.10 asks nas.test A
       client is answered nas.test A 192.0.2.80 aa
       client 192.0.2.10 asks box.lab.home.arpa A
       upstream 198.51.100.54 is asked box.lab.home.arpa A
       upstream answers box.lab.home.arpa A 192.168.7.7
       client is answered box.lab.home.arpa A 192.168.7.7
       client 192.0.2.10 asks 9.5.168.192.in-addr.arpa PTR
       upstream 198.51.100.55 is asked 9.5.168.192.in-addr.arpa PTR
       upstream answers 9.5.168.192.in-addr.arpa PTR nxdomain soa 60 60
       client 192.0.2.10 asks 9.6.168.192.in-addr.arpa PTR
       client is answered 9.6.168.192.in-addr.arpa PTR rcode nxdomain soa zone 168.192.in-addr.arpa
       client 192.0.2.10 asks 1.20.172.in-addr.arpa PTR
       upstream 192.168.1.1 is asked 1.20.172.in-addr.arpa PTR
       upstream answers 1.20.172.in-addr.arpa PTR nxdomain soa 60 60
       client 192.0.2.10 asks 1.21.172.in-addr.arpa PTR
       client is answered 1.21.172.in-addr.arpa PTR rcode nxdomain soa zone 21.172.in-addr.arpa
       # the DS record of the zone's own cut, and one inside it
       client 192.0.2.10 asks lab.home.arpa DS
       client is answered lab.home.arpa DS rcode nxdomain soa zone home.arpa
       client 192.0.2.10 asks sub.lab.home.arpa DS
       upstream 198.51.100.54 is asked sub.lab.home.arpa DS
       upstream answers sub.lab.home.arpa DS nxdomain soa 60 60
       client 192.0.2.10 asks 5.168.192.in-addr.arpa DS
       client is answered 5.168.192.in-addr.arpa DS rcode nxdomain soa zone 168.192.in-addr.arpa

       # other names with these words, and example names (RFC 6761 6.5)
at 5s  client 192.0.2.10 asks local.example A
       upstream 198.51.100.53 is asked local.example A
       client 192.0.2.10 asks test.example.com A
       upstream 198.51.100.53 is asked test.example.com A
       client 192.0.2.10 asks mytest A
       upstream 198.51.100.53 is asked mytest A
       client 192.0.2.10 asks 33.172.in-addr.arpa PTR
       upstream 192.168.1.1 is asked 33.172.in-addr.arpa PTR
       sums hold

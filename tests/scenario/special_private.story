# Private reverse zones and home.arpa go to a last forward with a private address; names that no router knows do not.
config special_private.yaml

at 1s  client 192.0.2.10 asks 4.1.168.192.in-addr.arpa PTR
       upstream 192.168.1.1 is asked 4.1.168.192.in-addr.arpa PTR
       upstream answers 4.1.168.192.in-addr.arpa PTR tv.lan
       client is answered 4.1.168.192.in-addr.arpa PTR tv.lan not aa
       client 192.0.2.10 asks tv.home.arpa A
       upstream 192.168.1.1 is asked tv.home.arpa A
       upstream answers tv.home.arpa A 192.168.1.4
       client is answered tv.home.arpa A 192.168.1.4
       client 192.0.2.10 asks www.onion A
       client is answered www.onion A rcode nxdomain soa zone onion
       client 192.0.2.10 asks 1.2.0.192.in-addr.arpa PTR
       client is answered 1.2.0.192.in-addr.arpa PTR rcode nxdomain soa zone 2.0.192.in-addr.arpa
       client 192.0.2.10 asks tv.local A
       client is answered tv.local A rcode nxdomain soa zone local
       client 192.0.2.10 asks resolver.arpa A
       client is answered resolver.arpa A soa zone resolver.arpa
       upstream is not asked
       sums hold

# resolve_special sends names, and the reverse zones of a prefix, upstream.
config special_resolved.yaml

at 1s  client 192.0.2.10 asks www.test A
       upstream is asked www.test A
       client 192.0.2.10 asks www.home.arpa A
       upstream is asked www.home.arpa A
       client 192.0.2.10 asks localhost A
       upstream is asked localhost A
       client 192.0.2.10 asks 1.16.172.in-addr.arpa PTR
       upstream is asked 1.16.172.in-addr.arpa PTR
       client 192.0.2.10 asks 1.31.172.in-addr.arpa PTR
       upstream is asked 1.31.172.in-addr.arpa PTR
       client 192.0.2.10 asks tv.local A
       upstream is asked tv.local A
       client 192.0.2.10 asks 1.168.192.in-addr.arpa PTR
       client is answered 1.168.192.in-addr.arpa PTR rcode nxdomain soa
       client 192.0.2.10 asks www.onion A
       client is answered www.onion A rcode nxdomain soa
       upstream is not asked
       sums hold

# Addresses that clients were told are known by the name that was asked for, for as long as they may use them.
config reverse.yaml

       # nothing is known yet
at 1s  client 192.0.2.10 asks 7.113.0.203.in-addr.arpa PTR
       upstream is asked 7.113.0.203.in-addr.arpa PTR
       upstream answers 7.113.0.203.in-addr.arpa PTR nxdomain
       client is answered 7.113.0.203.in-addr.arpa PTR rcode nxdomain

       client 192.0.2.10 asks www.example A
       upstream is asked www.example A
       upstream answers www.example A cname host.example 203.0.113.7 203.0.113.8 ttl 3600
       client is answered www.example A 203.0.113.7 203.0.113.8 ttl 100
       client 192.0.2.10 asks short.example AAAA
       upstream is asked short.example AAAA
       upstream answers short.example AAAA 2001:db8::7 ttl 20
       client is answered short.example AAAA 2001:db8::7 ttl 20

at 2s  client 192.0.2.10 asks 7.113.0.203.in-addr.arpa PTR
       client is answered 7.113.0.203.in-addr.arpa PTR www.example ttl 5
       client 192.0.2.10 asks 8.113.0.203.in-addr.arpa PTR
       client is answered 8.113.0.203.in-addr.arpa PTR www.example ttl 5
       client 192.0.2.10 asks 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
       client is answered 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR short.example ttl 5
       # a hit is learned again, also for its limit
at 90s client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.7 203.0.113.8 ttl 100
       upstream is not asked
       # its TTL is over
       client 192.0.2.10 asks 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
       upstream is asked 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
at 180s client 192.0.2.10 asks 7.113.0.203.in-addr.arpa PTR
       client is answered 7.113.0.203.in-addr.arpa PTR www.example ttl 5
       # of another address nothing is known
       client 192.0.2.10 asks 9.113.0.203.in-addr.arpa PTR
       upstream is asked 9.113.0.203.in-addr.arpa PTR
       sums hold

# never_claim holds for an address in the prefix of a NAT64 as it is written, and for the IPv4 address behind it.
config nat64_never_claim.yaml
router edge1 preset fast latency 2ms

       # as it is written, with a prefix of one address or more
at 1s  client 192.0.2.10 asks one.example AAAA
       upstream answers one.example AAAA 64:ff9b::cb00:7107 ttl 300
       client is answered one.example AAAA 64:ff9b::cb00:7107
       client 192.0.2.10 asks two.example AAAA
       upstream answers two.example AAAA 2001:db8:64::cb00:7181 ttl 300
       client is answered two.example AAAA 2001:db8:64::cb00:7181
at +20ms router edge1 has no row set_v6 64:ff9b::cb00:7107/128
       router edge1 has no row set_v4 203.0.113.7
       router edge1 has no row set_v6 2001:db8:64::cb00:7181/128
       router edge1 has no row set_v4 203.0.113.129

       # by the IPv4 address behind it: a private one, and the router's
       client 192.0.2.10 asks three.example AAAA
       upstream answers three.example AAAA 2001:db8:64::a00:1 ttl 300
       client is answered three.example AAAA 2001:db8:64::a00:1
       client 192.0.2.10 asks four.example AAAA
       upstream answers four.example AAAA 64:ff9b::c000:201 ttl 300
       client is answered four.example AAAA 64:ff9b::c000:201
at +20ms router edge1 has no row set_v4 10.0.0.1
       router edge1 has no row set_v4 192.0.2.1

       # others are claimed
       client 192.0.2.10 asks five.example AAAA
       upstream answers five.example AAAA 64:ff9b::cb00:7108 2001:db8:64::cb00:7109 ttl 300
       client is answered five.example AAAA 64:ff9b::cb00:7108 2001:db8:64::cb00:7109
       # and the IPv4 address itself: never_claim names another address
       client 192.0.2.10 asks one.example A
       upstream answers one.example A 203.0.113.7 ttl 300
       client is answered one.example A 203.0.113.7
at +20ms router edge1 has row set_v6 64:ff9b::cb00:7108/128
       router edge1 has row set_v6 2001:db8:64::cb00:7109/128
       router edge1 has row set_v4 203.0.113.7
       router edge1 has 3 rows in set_v4
       router edge1 has 2 rows in set_v6
       sums hold

# IPv4 in an AAAA record or an ipv6hint (::ffff:a.b.c.d) is IPv4: clients connect to it over IPv4.
config mapped_addresses.yaml
router edge1 preset fast latency 10ms

       # held until the row is there
at 1s  client 192.0.2.10 asks www.stream.example AAAA
       upstream answers www.stream.example AAAA ::ffff:203.0.113.7 ttl 300
       client has no answer
at +30ms router edge1 has row policy_set_v4 203.0.113.7
       client is answered www.stream.example AAAA 203.0.113.7 ttl 300
       outcome installed is 1
       client 192.0.2.11 asks www.stream.example AAAA
       client is answered www.stream.example AAAA 203.0.113.7
       router edge1 has 1 rows in policy_set_v4
       router edge1 has 0 rows in policy_set_v6

       # in an ipv6hint
at 2s  client 192.0.2.10 asks hint.stream.example HTTPS
       upstream answers hint.stream.example HTTPS ::ffff:203.0.113.8 ttl 300
       client has no answer
at +30ms router edge1 has row policy_set_v4 203.0.113.8
       client is answered hint.stream.example HTTPS 203.0.113.8 ttl 300

       # never_claim of IPv4 holds: answered at once, without a row
at 3s  client 192.0.2.10 asks own.stream.example AAAA
       upstream answers own.stream.example AAAA ::ffff:10.0.0.7 ttl 300
       client is answered own.stream.example AAAA 10.0.0.7 ttl 300
at +30ms router edge1 has no row policy_set_v4 10.0.0.7

       # behind a NAT64 that no dns64 names: the address and the IPv4 address behind it
at 4s  client 192.0.2.10 asks nat.stream.example AAAA
       upstream answers nat.stream.example AAAA 64:ff9b::cb00:7109 ttl 300
       client has no answer
at +60ms router edge1 has row policy_set_v4 203.0.113.9
       router edge1 has row policy_set_v6 64:ff9b::cb00:7109/128
       client is answered nat.stream.example AAAA 64:ff9b::cb00:7109 ttl 300
       client 192.0.2.10 asks private.stream.example AAAA
       upstream answers private.stream.example AAAA 64:ff9b::a00:1 ttl 300
       client is answered private.stream.example AAAA 64:ff9b::a00:1 ttl 300
at +60ms router edge1 has 1 rows in policy_set_v6

       # missing_family: nodata of a list for IPv4 alone
at 5s  client 192.0.2.10 asks www.four.example AAAA
       upstream answers www.four.example AAAA ::ffff:203.0.113.10 ttl 300
       client is answered www.four.example AAAA 203.0.113.10 ttl 300
at +30ms router edge1 has row only_v4 203.0.113.10
       client 192.0.2.10 asks both.four.example AAAA
       upstream answers both.four.example AAAA ::ffff:203.0.113.11 2001:db8::11 ttl 300
       client is answered both.four.example AAAA rcode noerror
       client 192.0.2.10 asks nat.four.example AAAA
       upstream answers nat.four.example AAAA 64:ff9b::cb00:710c ttl 300
       client is answered nat.four.example AAAA rcode noerror
       client 192.0.2.10 asks hint.four.example HTTPS
       upstream answers hint.four.example HTTPS ::ffff:203.0.113.13 2001:db8::13 ttl 300
       client is answered hint.four.example HTTPS 203.0.113.13 - ttl 300
at +30ms router edge1 has row only_v4 203.0.113.13
       router edge1 has no row only_v4 203.0.113.11

       # ... and for IPv6 alone
at 6s  client 192.0.2.10 asks www.six.example AAAA
       upstream answers www.six.example AAAA ::ffff:203.0.113.14 ttl 300
       client is answered www.six.example AAAA rcode noerror
       client 192.0.2.10 asks hint.six.example HTTPS
       upstream answers hint.six.example HTTPS ::ffff:203.0.113.15 2001:db8::15 ttl 300
       client is answered hint.six.example HTTPS - 2001:db8::15 ttl 300
at +30ms router edge1 has row only_v6 2001:db8::15/128
       router edge1 has 1 rows in only_v6
       sums hold

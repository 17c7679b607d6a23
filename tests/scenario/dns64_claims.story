# A client connects to a translated address, and the NAT64 to the IPv4 address behind it: `claim` chooses which of
# them the lists get.
config dns64_claims.yaml
router edge1 preset fast latency 10ms

       # `both`, around a cache: held until both rows are there
at 1s  client 2001:db8:1::10 asks www.stream.example AAAA
       upstream answers www.stream.example AAAA empty soa 900 900
       upstream answers www.stream.example A 203.0.113.7 ttl 300
       client has no answer
at +60ms router edge1 has row set_v4 203.0.113.7
       router edge1 has row set_v6 64:ff9b::cb00:7107/128
       client is answered www.stream.example AAAA 64:ff9b::cb00:7107 ttl 300
       outcome installed is 1
       # the A of the same name is covered already, as is a hit
       client 2001:db8:1::11 asks www.stream.example AAAA
       client is answered www.stream.example AAAA 64:ff9b::cb00:7107
       client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 300
       client is answered www.stream.example A 203.0.113.7
at +60ms router edge1 has 1 rows in set_v4
       router edge1 has 1 rows in set_v6

       # `ipv4`, the default; the list is inside of the dns64 and has no place for IPv6: nodata is for what it cannot hold
at 10s client 2001:db8:1::10 asks www.inside.example AAAA
       upstream answers www.inside.example AAAA empty soa 900 900
       upstream answers www.inside.example A 203.0.113.8 ttl 300
       client is answered www.inside.example AAAA 2001:db8:64::cb00:7108 ttl 300
at +60ms router edge1 has row four_v4 203.0.113.8
       router edge1 has 1 rows in four_v4
       sums hold

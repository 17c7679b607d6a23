# Two workers share the upstream's answers: the owner of a name asks once for all.
config cached.yaml
workers 2
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       client 192.0.2.11 asks www.stream.example A
       client 192.0.2.12 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream is not asked
       upstream answers www.stream.example A 203.0.113.7 ttl 300
at +20ms client 192.0.2.10 is answered www.stream.example A 203.0.113.7
       client 192.0.2.11 is answered www.stream.example A 203.0.113.7
       client 192.0.2.12 is answered www.stream.example A 203.0.113.7
       stat upstream_queries is 1
       stat upstream_coalesced is 2
at 2s  client 192.0.2.10 asks www.stream.example A
       client 192.0.2.11 asks www.stream.example A
       client 192.0.2.10 is answered www.stream.example A 203.0.113.7
       client 192.0.2.11 is answered www.stream.example A 203.0.113.7
       stat cache_hits is 2
       sums hold

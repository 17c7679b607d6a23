# A query that sleeps keeps its answer, its age and what it claims.
config sleep.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.example A
at 1096ms upstream is not asked
at 1104ms upstream is asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 300
at 1350ms client has no answer
at 1360ms client is answered www.example A 203.0.113.1 ttl 300
at +20ms router edge1 has row policy_set_v4 203.0.113.1

       # a hit sleeps behind the cache, and its TTL goes on counting down
at 100s client 192.0.2.10 asks www.example A
at 100240ms client has no answer
at 100260ms client is answered www.example A 203.0.113.1 ttl 200
       upstream is not asked
       client 192.0.2.10 asks www.slow.example A
at +104ms upstream answers www.slow.example A 203.0.113.2 ttl 300
at +2240ms client has no answer
at +20ms client is answered www.slow.example A 203.0.113.2 ttl 298
at +10s client 192.0.2.10 asks www.slow.example A edns
at +2260ms client is answered www.slow.example A 203.0.113.2 ttl 285..286 ede none
       sums hold

# An answer that comes after the client got a stale one goes into the cache, and its rows to the router.
config serve_stale.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 60
       client is answered www.stream.example A 203.0.113.7
       client 192.0.2.10 asks gone.stream.example A
       upstream answers gone.stream.example A nxdomain soa 60 60
       client is answered gone.stream.example A rcode nxdomain ttl 60
       upstream was asked www.stream.example A
       upstream was asked gone.stream.example A

       # two clients wait for the same
at 200s client 192.0.2.11 asks www.stream.example A edns
at 201s client 192.0.2.12 asks www.stream.example A
at 201810ms client 192.0.2.11 is answered www.stream.example A 203.0.113.7 ttl 30 ede 3
       client 192.0.2.12 has no answer
at 202s upstream was asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.9 ttl 60
       client 192.0.2.12 is answered www.stream.example A 203.0.113.9 ttl 60
       client 192.0.2.11 has no answer
at +20ms router edge1 has row policy_set_v4 203.0.113.9
       client 192.0.2.13 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.9 ttl 59..60
       upstream is not asked

       # no client waits: the answer is not sent, and the next client gets it from the cache
at 400s client 192.0.2.11 asks www.stream.example A
at 401900ms client is answered www.stream.example A 203.0.113.9 ttl 30
       stat cache_refreshes is 2
       upstream was asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.10 ttl 60
at +20ms router edge1 has row policy_set_v4 203.0.113.10
       client 192.0.2.11 has no answer
       client 192.0.2.13 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.10 ttl 59..60

       # an NXDOMAIN answer
at 500s client 192.0.2.11 asks gone.stream.example A edns
       upstream answers gone.stream.example A refused
       client is answered gone.stream.example A rcode nxdomain ttl 30 ede 19
at 510s sums hold

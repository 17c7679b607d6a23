# RFC 8767: past its TTL an answer is served when no new one comes in time, and its addresses stay on the router.
config serve_stale.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 60
       client is answered www.stream.example A 203.0.113.7 ttl 60
at +20ms router edge1 has row policy_set_v4 203.0.113.7

       # the upstream is silent: the client response timer, 1.8 s
at 200s router edge1 has no row policy_set_v4 203.0.113.7
       client 192.0.2.11 asks www.stream.example A edns
       upstream is asked www.stream.example A
at +1700ms client has no answer
at +110ms client is answered www.stream.example A 203.0.113.7 ttl 30 ede 3
       stat cache_stale_answers is 1
at +20ms router edge1 has row policy_set_v4 203.0.113.7 timeout 59..60

       # the failure recheck timer, 30 s: stale at once, and no upstream is asked
at 210s upstream was asked www.stream.example A
       client 192.0.2.12 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 20..30 ede none
       client 192.0.2.12 asks www.stream.example A edns
       client is answered www.stream.example A 203.0.113.7 ttl 20..30 ede 3
       upstream is not asked
       stat cache_stale_answers is 3

       # then it is asked again, and answers
at 232s client 192.0.2.12 asks www.stream.example A edns
       upstream is asked www.stream.example A
at +5ms upstream answers www.stream.example A 203.0.113.8 ttl 60
       client is answered www.stream.example A 203.0.113.8 ttl 60 ede none
at +20ms router edge1 has row policy_set_v4 203.0.113.8

       # a failure is not waited out
at 300s client 192.0.2.12 asks www.stream.example A edns
       upstream is asked www.stream.example A
       upstream answers www.stream.example A servfail
       client is answered www.stream.example A 203.0.113.8 ttl 30 ede 3

       # too long past its TTL: ten minutes here
at 900s client 192.0.2.12 asks www.stream.example A edns
       upstream is asked www.stream.example A
       upstream answers www.stream.example A servfail
       client is answered www.stream.example A rcode servfail ede none
at 910s sums hold

# async: false. A stale answer is held for its row as a fresh one is, and has its own TTL.
config serve_stale_held.yaml
router edge1 preset fast latency 10ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 60
at +30ms client is answered www.stream.example A 203.0.113.7 ttl 60
at 200s router edge1 has no row policy_set_v4 203.0.113.7
       client 192.0.2.11 asks www.stream.example A edns
       upstream answers www.stream.example A servfail
       client has no answer
       router edge1 has no row policy_set_v4 203.0.113.7
at +30ms router edge1 has row policy_set_v4 203.0.113.7
       client is answered www.stream.example A 203.0.113.7 ttl 30 ede 3
       outcome installed is 2
at 210s client 192.0.2.11 asks www.stream.example A edns
       client is answered www.stream.example A 203.0.113.7 ttl 20..30 ede 3
       # by the timer, while the upstream is still asked
at 300s client 192.0.2.12 asks www.stream.example A
at 301805ms client has no answer
at +30ms client is answered www.stream.example A 203.0.113.7 ttl 30
at +20ms upstream answers www.stream.example A 203.0.113.8 ttl 60
at +30ms router edge1 has row policy_set_v4 203.0.113.8
       outcome installed is 3
       client has no answer
at 310s sums hold

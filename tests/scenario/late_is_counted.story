# The router needs longer than sync_timeout (100 ms): the answer leaves without its row, and that is counted.
config held.yaml
router edge1 preset fast latency 400ms

at 5s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 30
at +99ms client has no answer
at +3ms client is answered www.stream.example A 203.0.113.7 ttl 30
       router edge1 has no row policy_set_v4 203.0.113.7
       outcome late is 1
at +400ms router edge1 has row policy_set_v4 203.0.113.7
       sums hold

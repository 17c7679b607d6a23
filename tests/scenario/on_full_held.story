# async: false. A full list's refusal is known before the answer leaves, and on_full decides, not on_timeout.
config on_full.yaml
environment ASYNC false
environment ON_TIMEOUT drop
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks one.stream.example A
       upstream answers one.stream.example A 203.0.113.1 ttl 300
at +50ms client is answered one.stream.example A 203.0.113.1
       client 192.0.2.11 asks two.stream.example A
       upstream answers two.stream.example A 203.0.113.2 ttl 300
at +50ms client is answered two.stream.example A 203.0.113.2 ttl 5
       outcome refused is 1
       stat full_capped is 1
       client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 5
       stat full_capped is 2
       stat events_raised is 2
       # the router is asked again after 5 s: the answer waits for what it says
at +6s client 192.0.2.12 asks two.stream.example A
at +50ms client is answered two.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 3
       sums hold

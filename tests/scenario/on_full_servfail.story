# on_full: servfail. While a refusal stands, no client gets the address. Later the list is asked again, and the answer that
# asks leaves with a short TTL, because the list may have room by then.
config on_full.yaml
environment ON_FULL servfail
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks one.stream.example A
       upstream answers one.stream.example A 203.0.113.1 ttl 60
       client is answered one.stream.example A 203.0.113.1 ttl 60
at +50ms client 192.0.2.11 asks two.stream.example A
       upstream answers two.stream.example A 203.0.113.2 ttl 600
       client is answered two.stream.example A 203.0.113.2 ttl 600
at +50ms client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A rcode servfail
       stat full_servfail is 1
at +20s client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 5
       stat full_capped is 1
at +50ms client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A rcode servfail
       stat full_servfail is 2
       # the row of the first one has ended: the claim is taken, and the next hit is covered
at 2m  client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2
at +50ms router edge1 has row policy_set_v4 203.0.113.2
       client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2
       sums hold

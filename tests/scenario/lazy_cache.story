# lazy_cache_ttl: a stale answer at once, with a TTL of 5 s, and one query refreshes it.
config lazy.yaml
router edge1 preset fast latency 2ms
workers 2

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 30
       client is answered www.stream.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks gone.stream.example A
       upstream answers gone.stream.example A nxdomain soa 30 30
       client is answered gone.stream.example A rcode nxdomain ttl 30
at 100s upstream was asked www.stream.example A
       upstream was asked gone.stream.example A
       client 192.0.2.10 asks www.stream.example A edns
       client is answered www.stream.example A 203.0.113.7 ttl 5 ede 3
       client 192.0.2.11 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 5
       client 192.0.2.12 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 5
       upstream is asked www.stream.example A
       upstream is not asked
       stat cache_refreshes is 1
       stat cache_stale_answers is 3
at +20ms router edge1 has row policy_set_v4 203.0.113.7
       upstream answers www.stream.example A 203.0.113.8 ttl 30
at +20ms client 192.0.2.12 has no answer
       router edge1 has row policy_set_v4 203.0.113.8
       client 192.0.2.13 asks www.stream.example A edns
       client is answered www.stream.example A 203.0.113.8 ttl 29..30 ede none
       upstream is not asked

       # names that are not cached are forwarded as before
       client 192.0.2.10 asks gone.stream.example A
       upstream is asked gone.stream.example A
       client has no answer

       # a failed refresh is retried after 5 s
at 200s upstream was asked gone.stream.example A
       client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A servfail
       upstream is asked www.stream.example A
at 203s client 192.0.2.10 asks www.stream.example A
       upstream is not asked
at 206s client 192.0.2.10 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.8 ttl 30
       client 192.0.2.10 is answered www.stream.example A 203.0.113.8 ttl 5
       client 192.0.2.10 is answered www.stream.example A 203.0.113.8 ttl 5
       client 192.0.2.10 is answered www.stream.example A 203.0.113.8 ttl 5
at 215s sums hold

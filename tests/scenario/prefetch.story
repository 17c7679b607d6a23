# A popular answer is refreshed in the last tenth of its TTL; its rows are written before a client gets it.
config prefetch.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 100
       client is answered www.stream.example A 203.0.113.7 ttl 100
       client 192.0.2.10 asks seldom.stream.example A
       upstream answers seldom.stream.example A 203.0.113.70 ttl 100
       client is answered seldom.stream.example A 203.0.113.70 ttl 100
       upstream was asked www.stream.example A
       upstream was asked seldom.stream.example A
at 11s client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 90
at 21s client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 80
at 31s client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 70
at 89s client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 12
       upstream is not asked
       # the last tenth: one query, for any number of hits
at 92s client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 9
       client 192.0.2.11 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 9
       upstream is asked www.stream.example A
       upstream is not asked
       stat cache_prefetches is 1
at +10ms upstream answers www.stream.example A 203.0.113.8 ttl 100
at +20ms router edge1 has row policy_set_v4 203.0.113.8
       client has no answer
at 93s client 192.0.2.12 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.8 ttl 99..100
       # what is hit once is not popular
       client 192.0.2.12 asks seldom.stream.example A
       client is answered seldom.stream.example A 203.0.113.70 ttl 8
       upstream is not asked
       # a failed refresh keeps the entry
at 150s client 192.0.2.12 asks www.stream.example A
       client 192.0.2.12 asks www.stream.example A
       client 192.0.2.12 asks www.stream.example A
at 185s client 192.0.2.12 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream answers www.stream.example A servfail
at 186s client 192.0.2.13 asks www.stream.example A edns
       client is answered www.stream.example A 203.0.113.8 ttl 6..7 ede none
       upstream is not asked
       stat cache_prefetches is 2
at 200s sums hold

# TTLs are within the limits from the first answer on, and the cache has the same TTLs as the answers.
config limits.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks long.stream.example A
       upstream answers long.stream.example A 203.0.113.1 ttl 3600
       client is answered long.stream.example A 203.0.113.1 ttl 100
       client 192.0.2.10 asks short.stream.example A
       upstream answers short.stream.example A 203.0.113.2 ttl 2
       client is answered short.stream.example A 203.0.113.2 ttl 10
       client 192.0.2.10 asks none.stream.example A
       upstream answers none.stream.example A nxdomain soa 3600 600
       client is answered none.stream.example A rcode nxdomain ttl 20
       client 192.0.2.10 asks empty.stream.example A
       upstream answers empty.stream.example A empty soa 15 600
       client is answered empty.stream.example A ttl 15
       client 192.0.2.10 asks quick.stream.example A
       upstream answers quick.stream.example A empty soa 600 5
       client is answered quick.stream.example A ttl 5
       upstream was asked long.stream.example A
       upstream was asked short.stream.example A
       upstream was asked none.stream.example A
       upstream was asked empty.stream.example A
       upstream was asked quick.stream.example A
at +20ms router edge1 has row policy_set_v4 203.0.113.1 timeout 120..130
at 10s client 192.0.2.11 asks short.stream.example A
       client is answered short.stream.example A 203.0.113.2 ttl 1
       client 192.0.2.11 asks none.stream.example A
       client is answered none.stream.example A rcode nxdomain ttl 11
       client 192.0.2.11 asks empty.stream.example A
       client is answered empty.stream.example A ttl 6
       upstream is not asked
       client 192.0.2.11 asks quick.stream.example A
       upstream is asked quick.stream.example A
       upstream answers quick.stream.example A 203.0.113.5 ttl 50
       client is answered quick.stream.example A 203.0.113.5 ttl 50
at 100s client 192.0.2.11 asks long.stream.example A
       client is answered long.stream.example A 203.0.113.1 ttl 1
       upstream is not asked
at 101s client 192.0.2.11 asks long.stream.example A
       upstream is asked long.stream.example A
       client has no answer
at 110s sums hold

# async: false. An answer is sent only after its row is written; a repeated query does not wait.
config held.yaml
router edge1 preset fast latency 10ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream is asked www.stream.example A
at +5ms upstream answers www.stream.example A 203.0.113.7 ttl 30
       verdict held is 0
       client has no answer
at +5ms router edge1 is sent add list=policy_set_v4 address=203.0.113.7
       router edge1 has no row policy_set_v4 203.0.113.7
       client has no answer
at +10ms router edge1 has row policy_set_v4 203.0.113.7
       client is answered www.stream.example A 203.0.113.7 ttl 30
       outcome installed is 1
       outcome late is 0

       # again, while the row covers it: at once
       client 192.0.2.11 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 20
       client is answered www.stream.example A 203.0.113.7 ttl 20
       stat claims_covered is 1

       # a name that no list wants is never held
       client 192.0.2.12 asks other.example A
       upstream answers other.example A 203.0.113.50 ttl 30
       client is answered other.example A 203.0.113.50
       sums hold

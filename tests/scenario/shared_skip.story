# Seven names share an address, and two of them are in the policy: the list leaves it out until the others are not asked for.
config shared.yaml
environment SHARED skip
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 60
       client has no answer
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 60
       router edge1 has row policy_set_v4 203.0.113.7 timeout 80..100
       client 192.0.2.10 asks one.other.example A
       upstream answers one.other.example A 203.0.113.7 ttl 3600
       client 192.0.2.10 asks two.other.example A
       upstream answers two.other.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks three.other.example A
       upstream answers three.other.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks four.other.example A
       upstream answers four.other.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks five.other.example A
       upstream answers five.other.example A 203.0.113.7 ttl 30
       log says 1 address of 'policy' also belongs to names outside its set, 203.0.113.7 for three.other.example: it is not claimed while that lasts; 'steerctl routers shared' shows them

       # not renewed, not waited for; the existing row expires
at 10s client 192.0.2.11 asks video.stream.example A
       upstream answers video.stream.example A 203.0.113.7 ttl 3600
       client is answered video.stream.example A 203.0.113.7 ttl 1770
at 60s router edge1 has row policy_set_v4 203.0.113.7
at 2m  router edge1 has no row policy_set_v4 203.0.113.7
       router edge1 is sent nothing with remove
       # with a second address, only the second one is claimed
       client 192.0.2.11 asks two.stream.example A
       upstream answers two.stream.example A 203.0.113.7 203.0.113.8 ttl 60
at +20ms client is answered two.stream.example A 203.0.113.7 203.0.113.8 ttl 60
       router edge1 has row policy_set_v4 203.0.113.8
       router edge1 has no row policy_set_v4 203.0.113.7

       # one name alone, cached and still asked for, is less than half of three
every 1m until 31m client 192.0.2.12 asks one.other.example A
at 29m client 192.0.2.11 asks video.stream.example A
       client is answered video.stream.example A 203.0.113.7
       router edge1 has no row policy_set_v4 203.0.113.7
at 31m client 192.0.2.11 asks video.stream.example A
at +20ms client is answered video.stream.example A 203.0.113.7
       router edge1 has row policy_set_v4 203.0.113.7
       sums hold

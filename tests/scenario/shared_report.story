# Seven names share an address, and two of them are in the policy. The row stays, and the operator gets a report.
config shared.yaml
environment SHARED report
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 600
       client 192.0.2.11 asks video.stream.example A
       upstream answers video.stream.example A 203.0.113.7 ttl 600
at +20ms router edge1 has row policy_set_v4 203.0.113.7
at 2s  client 192.0.2.10 asks one.other.example A
       upstream answers one.other.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks two.other.example A
       upstream answers two.other.example A 203.0.113.7 ttl 30
       stat events_shared is 2
       # a third makes it shared; more are counted
       client 192.0.2.10 asks three.other.example A
       upstream answers three.other.example A 203.0.113.7 ttl 30
       log says 1 address of 'policy' also belongs to names outside its set, 203.0.113.7 for three.other.example: connections to those are steered too; 'steerctl routers shared' shows them
       client 192.0.2.10 asks four.other.example A
       upstream answers four.other.example A 203.0.113.7 ttl 30
       client 192.0.2.10 asks five.other.example A
       upstream answers five.other.example A 203.0.113.7 ttl 30
       stat events_shared is 5
at 500s client 192.0.2.10 asks video.stream.example A
       client is answered video.stream.example A 203.0.113.7
at 640s client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 600
at +20ms router edge1 has row policy_set_v4 203.0.113.7 timeout 600..1800
       sums hold

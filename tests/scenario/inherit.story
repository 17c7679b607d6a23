# An answer points its client to another name: the policy goes with it, for as long as the client may keep that answer.
config inherit.yaml
router edge1 preset fast latency 2ms

       # no name of the set pointed to it yet: no list
at 1s  client 192.0.2.10 asks edge.cdn.example A
       upstream is asked edge.cdn.example A
       upstream answers edge.cdn.example A 203.0.113.7 ttl 600
at +20ms client is answered edge.cdn.example A 203.0.113.7 ttl 600
       router edge1 has no row policy_set_v4 203.0.113.7
       # now the service's name points to it, and its cached answer inherits the list
at 10s client 192.0.2.11 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream answers www.stream.example A cname edge.cdn.example 203.0.113.8 ttl 100
at +20ms client is answered www.stream.example A 203.0.113.8 ttl 100
       router edge1 has row policy_set_v4 203.0.113.8
       stat names_inherited is 1
at 20s client 192.0.2.11 asks edge.cdn.example A
       upstream is not asked
at +20ms client is answered edge.cdn.example A 203.0.113.7 ttl 581
       router edge1 has row policy_set_v4 203.0.113.7
       # its neighbour and those below it were not pointed to
at 21s client 192.0.2.11 asks other.cdn.example A
       upstream is asked other.cdn.example A
       upstream answers other.cdn.example A 203.0.113.9 ttl 600
at +20ms client is answered other.cdn.example A 203.0.113.9 ttl 600
       router edge1 has no row policy_set_v4 203.0.113.9
       # a hit points to it no longer than its own rest; then it is a name like others
at 100s client 192.0.2.12 asks www.stream.example A
at +20ms client is answered www.stream.example A 203.0.113.8 ttl 10
at 112s client 192.0.2.12 asks edge.cdn.example A
at +20ms client is answered edge.cdn.example A 203.0.113.7 ttl 489
       stat cache_guarded_hits is 3
       sums hold

# An answer that is restored from a dump keeps its age, also if the machine's uptime is shorter.
config cached.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       client 192.0.2.10 asks www.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 1000
       upstream answers www.example A 203.0.113.1 ttl 1000
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 1000
       client is answered www.example A 203.0.113.1 ttl 1000
at 401s power fails for 300s uptime 10s
       # 700 seconds old: a held answer, a plain one, and the row of the first
       client 192.0.2.10 asks www.stream.example A
       client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 298..300
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 298..300
       router edge1 has row policy_set_v4 203.0.113.7 timeout 325..332
       # the row is there: both are plain
at +60s client 192.0.2.11 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 238..240
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 238..240
       upstream is not asked
       sums hold

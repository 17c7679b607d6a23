# Foreign rows are never changed. One that stays counts as covered; one that expires is replaced at its end.
config async.yaml

at 1s  router edge1 gets foreign row policy_set_v4 203.0.113.1
       router edge1 gets foreign row policy_set_v4 203.0.113.2 timeout 100s
at 2s  client 192.0.2.10 asks a.stream.example A
       upstream answers a.stream.example A 203.0.113.1 ttl 300
       client is answered a.stream.example A 203.0.113.1
       client 192.0.2.10 asks b.stream.example A
       upstream answers b.stream.example A 203.0.113.2 ttl 300
       client is answered b.stream.example A 203.0.113.2
at 5s  router edge1 has row policy_set_v4 203.0.113.1 permanent
       router edge1 has row policy_set_v4 203.0.113.2 timeout 90..97
       # its end comes, and ours takes its place
at 103s router edge1 has row policy_set_v4 203.0.113.2 timeout 200..330
       # our row comes back after a person removed it
       client 192.0.2.10 asks c.stream.example A
       upstream answers c.stream.example A 203.0.113.3 ttl 300
       client is answered c.stream.example A 203.0.113.3
at 105s router edge1 has row policy_set_v4 203.0.113.3
       router edge1 loses row policy_set_v4 203.0.113.3
at 107s router edge1 has row policy_set_v4 203.0.113.3
       sums hold

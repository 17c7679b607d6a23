# A router that does not answer is not waited for after three deadlines in a row; DNS is never stopped by it.
config held.yaml

at 1s  client 192.0.2.10 asks a.stream.example A
       upstream answers a.stream.example A 203.0.113.1 ttl 600
       client is answered a.stream.example A 203.0.113.1
at 2s  router edge1 hangs
       client 192.0.2.10 asks b.stream.example A
       upstream answers b.stream.example A 203.0.113.2 ttl 600
at +99ms client has no answer
at +6ms client is answered b.stream.example A 203.0.113.2
       outcome late is 1
at +1ms client 192.0.2.10 asks c.stream.example A
       upstream answers c.stream.example A 203.0.113.3 ttl 600
at +105ms client is answered c.stream.example A 203.0.113.3
       client 192.0.2.10 asks d.stream.example A
       upstream answers d.stream.example A 203.0.113.4 ttl 600
at +105ms client is answered d.stream.example A 203.0.113.4
at 10s client 192.0.2.10 asks e.stream.example A
       upstream answers e.stream.example A 203.0.113.5 ttl 600
       client is answered e.stream.example A 203.0.113.5
at 20s router edge1 resumes
at 40s router edge1 has row policy_set_v4 203.0.113.2
       router edge1 has row policy_set_v4 203.0.113.5
       # and waited for again
       client 192.0.2.10 asks f.stream.example A
       upstream answers f.stream.example A 203.0.113.6 ttl 600
       client is answered f.stream.example A 203.0.113.6
       router edge1 has row policy_set_v4 203.0.113.6
       sums hold

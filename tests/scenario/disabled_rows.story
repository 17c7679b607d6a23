# A row that a person disabled covers nothing. One of others is left alone, named once, and its address counts as refused:
# no answer with it says that it is routed.
config held.yaml

at 1s  router edge1 gets foreign row policy_set_v4 203.0.113.1
       router edge1 disables row policy_set_v4 203.0.113.1
at 2s  client 192.0.2.10 asks a.stream.example A
       upstream answers a.stream.example A 203.0.113.1 ttl 300
       client is answered a.stream.example A 203.0.113.1
       outcome already_there is 0
       outcome installed is 0
       outcome failed is 1
       log says 203.0.113.1 in list policy_set_v4 is not covered: the disabled row *1 of others has the address
at 3s  router edge1 has row policy_set_v4 203.0.113.1 permanent
       router edge1 is sent nothing with add list=policy_set_v4
       # enabled again, it covers
       router edge1 enables row policy_set_v4 203.0.113.1
at 5s  client 192.0.2.10 asks b.stream.example A
       upstream answers b.stream.example A 203.0.113.1 ttl 300
       client is answered b.stream.example A 203.0.113.1
       outcome failed is 1
       # disabled while it covers: the next answer does not rely on it
       router edge1 disables row policy_set_v4 203.0.113.1
at 7s  client 192.0.2.10 asks c.stream.example A
       upstream answers c.stream.example A 203.0.113.1 ttl 300
       client is answered c.stream.example A 203.0.113.1
       outcome failed is 2
       sums hold

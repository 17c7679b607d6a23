# An upstream that is silent or refuses gives SERVFAIL at the end, never a wrong answer, and no write to the router.
config async.yaml

at 1s  client 192.0.2.10 asks www.stream.example A
at 7s  client is answered www.stream.example A rcode servfail
       client 192.0.2.10 asks x.stream.example A
       upstream answers x.stream.example A refused
at 14s client is answered x.stream.example A rcode refused
       router edge1 has 0 rows in policy_set_v4
       sums hold

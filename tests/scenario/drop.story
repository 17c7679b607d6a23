# `drop` ends a query without an answer. Its own verdict counts it, and nothing is cached.
config drop.yaml

at 1s  client 192.0.2.10 asks www.silent.example A
       client has no answer
       upstream is not asked
       verdict dropped_by_policy is 1

       # drop after an upstream's answer: the next client asks upstream again, because the answer is not cached
at 2s  client 192.0.2.10 asks bad.example A
       upstream is asked bad.example A
       upstream answers bad.example A 203.0.113.66 ttl 300
       client has no answer
       end dropped_by_policy is 1
       client 192.0.2.11 asks bad.example A
       upstream is asked bad.example A
       upstream answers bad.example A 203.0.113.1 ttl 300
       client is answered bad.example A 203.0.113.1 ttl 300

       # a branch of a fallback that drops ends the query; the other branch is not asked
at 3s  client 192.0.2.10 asks www.unit.example A
       client has no answer
       upstream is not asked
       verdict dropped_by_policy is 2

       # prefer_ipv4: the type asked is dropped, and the probe finds no IPv4
at 4s  client 192.0.2.10 asks www.six.example AAAA
       upstream is asked www.six.example A
       upstream answers www.six.example A empty soa 60 60
       client has no answer
       end dropped_by_policy is 2
       # the probe finds records: denied as before
       client 192.0.2.10 asks dual.six.example AAAA
       upstream answers dual.six.example A 203.0.113.4 ttl 300
       client is answered dual.six.example AAAA rcode noerror
       sums hold

# The first example configuration, as it is.
config ../../configs/minimal.yaml

at 1s  client 192.0.2.10 asks stream.example A
       upstream is asked stream.example A
       client has no answer
at +5ms upstream answers stream.example A 203.0.113.7 203.0.113.8 ttl 300
       client is answered stream.example A 203.0.113.7 203.0.113.8 ttl 300
at +5ms router 172.16.1.1:8728 has row policy_set_v4 203.0.113.7 timeout 325..330
       router 172.16.1.1:8728 has row policy_set_v4 203.0.113.8 timeout 325..330

       # IPv6, from a client over IPv6
       client 2001:db8::10 asks www.media.example AAAA
       upstream answers www.media.example AAAA 2001:db8:1::7 ttl 60
       client is answered www.media.example AAAA 2001:db8:1::7 ttl 60
at +5ms router 172.16.1.1:8728 has row policy_set_v6 2001:db8:1::7/128 timeout 85..90

       # a chain of names: the addresses at its end
       client 192.0.2.10 asks cdn.stream.example A
       upstream answers cdn.stream.example A cname edge.other.example 203.0.113.9 ttl 120
       client is answered cdn.stream.example A 203.0.113.9 ttl 120
at +5ms router 172.16.1.1:8728 has row policy_set_v4 203.0.113.9 timeout 145..150

       # outside the policy: answered, and nothing on the router
       client 192.0.2.10 asks other.example A
       upstream answers other.example A 203.0.113.99 ttl 120
       client is answered other.example A 203.0.113.99
at +50ms router 172.16.1.1:8728 has no row policy_set_v4 203.0.113.99

       # an answer without addresses
       client 192.0.2.10 asks no.stream.example A
       upstream answers no.stream.example A nxdomain
       client is answered no.stream.example A rcode nxdomain
       router 172.16.1.1:8728 has 3 rows in policy_set_v4
       sums hold

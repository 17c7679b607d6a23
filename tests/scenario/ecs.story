# RFC 7871: the client's subnet goes to the upstream and back, and an answer is shared only by clients with the same subnet.
config ecs.yaml

at 1s  client 192.0.2.10 asks www.example A ecs 198.51.100.0/24
       client 192.0.2.11 asks www.example A ecs 198.51.101.0/24
       client 192.0.2.12 asks www.example A edns
       upstream is asked www.example A ecs 198.51.100.0/24
       upstream is asked www.example A ecs 198.51.101.0/24
       upstream is asked www.example A ecs none
       upstream answers www.example A 203.0.113.1 ttl 60 scope 20
       client 192.0.2.10 is answered www.example A 203.0.113.1 ttl 60 ecs 198.51.100.0/24/20
       client 192.0.2.11 is answered www.example A 203.0.113.1 ttl 60 ecs 198.51.101.0/24/20
       client 192.0.2.12 is answered www.example A 203.0.113.1 ttl 60 ecs none

       # from the cache: each finds its own
at 11s client 192.0.2.20 asks www.example A ecs 198.51.100.0/24
       client is answered www.example A 203.0.113.1 ttl 50 ecs 198.51.100.0/24/20
       client 192.0.2.20 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 50 ecs none
       upstream is not asked
       client 192.0.2.20 asks www.example A ecs 198.51.100.0/25
       upstream is asked www.example A ecs 198.51.100.0/25
       upstream answers www.example A 203.0.113.2 ttl 60
       client is answered www.example A 203.0.113.2 ttl 60 ecs 198.51.100.0/25/0
       client 192.0.2.20 asks www.example AAAA ecs 2001:db8:1::/48
       upstream is asked www.example AAAA ecs 2001:db8:1::/48
       upstream answers www.example AAAA 2001:db8:2::1 ttl 60 scope 56
       client is answered www.example AAAA 2001:db8:2::1 ttl 60 ecs 2001:db8:1::/48/56

       # stale, and refreshed for the same subnet
at 100s client 192.0.2.21 asks www.example A ecs 198.51.100.0/24
       client is answered www.example A 203.0.113.1 ttl 5 ede 3 ecs 198.51.100.0/24/20
       upstream is asked www.example A ecs 198.51.100.0/24
       upstream is not asked
       upstream answers www.example A 203.0.113.3 ttl 60 scope 24
       client 192.0.2.21 asks www.example A ecs 198.51.100.0/24
       client is answered www.example A 203.0.113.3 ttl 60 ecs 198.51.100.0/24/24

       # scope 0: for the clients of all subnets (RFC 7871 7.3.1), also for one that hides its address
at 200s client 192.0.2.21 asks all.example A ecs 198.51.100.0/24
       upstream is asked all.example A ecs 198.51.100.0/24
       upstream answers all.example A 203.0.113.5 ttl 60 scope 0
       client is answered all.example A 203.0.113.5 ttl 60 ecs 198.51.100.0/24/0
       client 192.0.2.21 asks all.example A ecs 198.51.101.0/24
       client is answered all.example A 203.0.113.5 ttl 60 ecs 198.51.101.0/24/0
       client 2001:db8::21 asks all.example A ecs 2001:db8:1::/48
       client is answered all.example A 203.0.113.5 ttl 60 ecs 2001:db8:1::/48/0
at 210s client 192.0.2.21 asks all.example A ecs 198.51.100.0/24
       client is answered all.example A 203.0.113.5 ttl 50 ecs 198.51.100.0/24/0
       client 192.0.2.21 asks all.example A ecs 0.0.0.0/0
       client is answered all.example A 203.0.113.5 ttl 50 ecs 0.0.0.0/0/0
       upstream is not asked
       # its scope 0 says nothing about other clients
       client 192.0.2.21 asks hidden.example A ecs 0.0.0.0/0
       upstream is asked hidden.example A ecs 0.0.0.0/0
       upstream answers hidden.example A 203.0.113.6 ttl 60 scope 0
       client is answered hidden.example A 203.0.113.6 ecs 0.0.0.0/0/0
       client 192.0.2.21 asks hidden.example A ecs 198.51.102.0/24
       upstream is asked hidden.example A ecs 198.51.102.0/24
       upstream answers hidden.example A 203.0.113.8 ttl 60 scope 24
       client is answered hidden.example A 203.0.113.8 ecs 198.51.102.0/24/24
       # stale for all, and refreshed
at 300s client 192.0.2.21 asks all.example A ecs 198.51.103.0/24
       client is answered all.example A 203.0.113.5 ttl 5 ede 3 ecs 198.51.103.0/24/0
       upstream is asked all.example A ecs 198.51.103.0/24
       upstream answers all.example A 203.0.113.7 ttl 60 scope 0
       client 192.0.2.21 asks all.example A ecs 198.51.104.0/24
       client is answered all.example A 203.0.113.7 ttl 60 ecs 198.51.104.0/24/0
       upstream is not asked

       # a cache without the setting ignores subnets
       client 192.0.2.10 asks www.plain.example A ecs 198.51.100.0/24
       upstream is asked www.plain.example A ecs none
       upstream answers www.plain.example A 203.0.113.4 ttl 60
       client is answered www.plain.example A 203.0.113.4 ecs none
       client 192.0.2.11 asks www.plain.example A ecs 198.51.101.0/24
       client is answered www.plain.example A 203.0.113.4 ecs none
       upstream is not asked

       # stale for its subnet, and fresh for all: the fresh one
at 400s client 192.0.2.21 asks moved.example A ecs 198.51.100.0/24
       upstream is asked moved.example A ecs 198.51.100.0/24
       upstream answers moved.example A 203.0.113.10 ttl 10 scope 24
       client is answered moved.example A 203.0.113.10 ttl 10 ecs 198.51.100.0/24/24
at 420s client 192.0.2.21 asks moved.example A ecs 198.51.100.0/24
       client is answered moved.example A 203.0.113.10 ttl 5 ede 3 ecs 198.51.100.0/24/24
       upstream is asked moved.example A ecs 198.51.100.0/24
       upstream answers moved.example A 203.0.113.11 ttl 60 scope 0
       client 192.0.2.21 asks moved.example A ecs 198.51.100.0/24
       client is answered moved.example A 203.0.113.11 ttl 60 ecs 198.51.100.0/24/0
       upstream is not asked
       sums hold

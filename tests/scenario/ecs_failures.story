# A failure of a query that carried something of one client (its subnet, its address, its options) is not kept for others.
config ecs_failures.yaml

at 1s  client 198.18.7.10 asks www.front.example A ecs 198.51.100.0/24
       upstream is asked www.front.example A ecs 198.51.100.0/24
       upstream answers www.front.example A refused
       client is answered www.front.example A rcode refused
       client 198.18.40.11 asks www.front.example A
       upstream is asked www.front.example A ecs none
       upstream answers www.front.example A 203.0.113.1 ttl 60
       client is answered www.front.example A 203.0.113.1

at 11s  client 198.18.7.10 asks www.behind.example A ecs 198.51.100.0/24
       upstream is asked www.behind.example A ecs 198.51.100.0/24
       upstream answers www.behind.example A refused
       client is answered www.behind.example A rcode refused
       client 198.18.40.11 asks www.behind.example A
       upstream is asked www.behind.example A ecs none
       upstream answers www.behind.example A 203.0.113.1 ttl 60
       client is answered www.behind.example A 203.0.113.1

at 21s  client 198.18.7.10 asks www.address.example A edns
       upstream is asked www.address.example A ecs 198.18.0.0/20
       upstream answers www.address.example A refused
       client is answered www.address.example A rcode refused
       client 198.18.40.11 asks www.address.example A
       upstream is asked www.address.example A ecs 198.18.32.0/20
       upstream answers www.address.example A 203.0.113.1 ttl 60
       client is answered www.address.example A 203.0.113.1

at 31s  client 198.18.7.10 asks www.options.example A option 65001:aabb
       upstream is asked www.options.example A options 65001:aabb
       upstream answers www.options.example A refused
       client is answered www.options.example A rcode refused
       client 198.18.40.11 asks www.options.example A
       upstream is asked www.options.example A ecs none
       upstream answers www.options.example A 203.0.113.1 ttl 60
       client is answered www.options.example A 203.0.113.1

at 41s  client 198.18.7.10 asks www.inner.example A option 65001:aabb
       upstream is asked www.inner.example A options 65001:aabb
       upstream answers www.inner.example A refused
       client is answered www.inner.example A rcode refused
       client 198.18.40.11 asks www.inner.example A
       upstream is asked www.inner.example A ecs none
       upstream answers www.inner.example A 203.0.113.1 ttl 60
       client is answered www.inner.example A 203.0.113.1

       # without it, it is
at 51s client 198.18.7.10 asks www.rest.example A ecs 198.51.100.0/24
       upstream is asked www.rest.example A ecs none
       upstream answers www.rest.example A refused
       client is answered www.rest.example A rcode refused
       client 198.18.40.11 asks www.rest.example A edns
       upstream is not asked
       client is answered www.rest.example A rcode refused ede 13
       sums hold

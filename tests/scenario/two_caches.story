# Each cache plugin is an instance with limits and answers of its own; an answer passed between them keeps its age.
config two_caches.yaml

at 1s  client 192.0.2.10 asks www.example A
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered www.example A 203.0.113.1 ttl 10
       client 192.0.2.10 asks www.special.example A
       upstream is asked www.special.example A
       upstream answers www.special.example A 203.0.113.2 ttl 300
       client is answered www.special.example A 203.0.113.2 ttl 10
at 8s  client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 3
       # past the limit of the cache in front: from the cache behind it
at 12s client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 10
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 10
at 15s client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 7
       upstream is not asked
at 52s client 192.0.2.11 asks www.special.example A
       upstream is asked www.special.example A
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 10
at 296s client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 5
       upstream was asked www.special.example A
at 302s client 192.0.2.11 asks www.example A
       upstream is asked www.example A
       sums hold

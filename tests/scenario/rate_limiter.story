config   rate_limiter.yaml

at 0s    client 192.0.2.10 asks www.example A
         upstream is asked www.example A
         upstream answers www.example A 203.0.113.1 ttl 300
         client is answered www.example A 203.0.113.1 ttl 300
         # the second token; a hit in the cache takes one as well
         client 192.0.2.10 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300
         client 192.0.2.10 asks www.example A
         client is answered www.example A rcode refused
         # other clients keep theirs
         client 192.0.2.11 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300

         # one comes back a second
at 1s    client 192.0.2.10 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 299
         client 192.0.2.10 asks www.example A
         client is answered www.example A rcode refused

         # two of one plugin take from one bucket
at 10s   client 192.0.2.10 asks twice.example A
         upstream is asked twice.example A
         upstream answers twice.example A 203.0.113.2 ttl 300
         client is answered twice.example A 203.0.113.2 ttl 300
         client 192.0.2.10 asks twice.example A
         client is answered twice.example A rcode refused
at 11s   client 192.0.2.10 asks twice.example A
         client is answered twice.example A rcode notimp

         # one in place has its own
at 20s   client 192.0.2.10 asks quick.example A
         upstream is asked quick.example A
         upstream answers quick.example A 203.0.113.3 ttl 300
         client is answered quick.example A 203.0.113.3 ttl 300
         client 192.0.2.10 asks quick.example A
         client is answered quick.example A rcode nxdomain
         sums hold

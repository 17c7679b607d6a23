# Queries above the rate of their prefix get TC before any work is done for them.
config limits_queries.yaml

at 0s    client 192.0.2.10 asks www.example A
         upstream is asked www.example A
         upstream answers www.example A 203.0.113.1 ttl 300
         client is answered www.example A 203.0.113.1 ttl 300
         # the second token of the /24; a hit in the cache takes one as well
         client 192.0.2.11 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300
         client 192.0.2.12 asks new.example A
         upstream is not asked
         client is answered new.example A truncated
         client 192.0.2.12 asks www.example A
         client is answered www.example A truncated
         verdict limited_truncated is 2
         # the exception, the forwarder and another prefix are not limited
         client 192.0.2.200 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300
         client 192.0.2.9 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300
         client 2001:db8:0:100::1 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 300

         # one token a second
at 1s    client 192.0.2.10 asks www.example A
         client is answered www.example A 203.0.113.1 ttl 299
         client 192.0.2.10 asks www.example A
         client is answered www.example A truncated
         sums hold

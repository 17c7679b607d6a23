# forward_edns0opt as in ForgeDNS, in both directions.
config options.yaml

       # only the listed options; queries with other options do not share an upstream query
at 1s  client 192.0.2.10 asks www.cached.example A option 65001:aabb option 65009:01 option 65002:
       client 192.0.2.11 asks www.cached.example A option 65001:cc
       client 192.0.2.12 asks www.cached.example A
       client 192.0.2.13 asks www.cached.example A edns
       client 192.0.2.14 asks www.cached.example A option 65001:aabb option 65002:
       upstream is asked www.cached.example A options 65001:aabb 65002:
       upstream is asked www.cached.example A options 65001:cc
       upstream is asked www.cached.example A options none
       upstream is not asked
       upstream answers www.cached.example A 203.0.113.1 ttl 60 option 65001:dddd option 65009:02
       client 192.0.2.10 is answered www.cached.example A 203.0.113.1 options 65001:dddd
       client 192.0.2.11 is answered www.cached.example A 203.0.113.1 options 65001:dddd
       client 192.0.2.12 is answered www.cached.example A 203.0.113.1 options none
       client 192.0.2.13 is answered www.cached.example A 203.0.113.1 options 65001:dddd
       client 192.0.2.14 is answered www.cached.example A 203.0.113.1 options 65001:dddd
       # a cached answer has no options
at 2s  client 192.0.2.15 asks www.cached.example A option 65001:ee
       upstream is not asked
       client is answered www.cached.example A 203.0.113.1 ttl 59 options none

       # nothing is passed on outside of it
at 3s  client 192.0.2.10 asks www.example A option 65001:aabb
       upstream is asked www.example A options none
       upstream answers www.example A 203.0.113.2 option 65001:dddd
       client is answered www.example A 203.0.113.2 options none

       # inside of each other both do; over a wait, and with another name
at 10s client 192.0.2.10 asks www.redirect.example A option 65003:33 option 65001:11 option 65002:22
at 10030ms upstream is asked new.target.example A options 65003:33 65001:11
       upstream answers new.target.example A 203.0.113.3 ttl 300 option 65001:44 option 65002:55 option 65003:
       client is answered www.redirect.example A 203.0.113.3 ttl 40 cname new.target.example@1 options 65001:44 65003:

       # options too long for a parked query are left out and counted
at 20s client 192.0.2.10 asks www.cached.example AAAA option 65001:*240
       upstream is asked www.cached.example AAAA options none
       stat options_too_long is 1
       upstream answers www.cached.example AAAA 2001:db8::1 option 65001:*300
       stat options_too_long is 2
       client is answered www.cached.example AAAA 2001:db8::1 options none
       client 192.0.2.10 asks www.cached.example TXT option 65001:*230
       upstream is asked www.cached.example TXT options 65001:*230
       upstream answers www.cached.example TXT empty soa 60 60 option 65001:*250
       client is answered www.cached.example TXT options 65001:*250
       stat options_too_long is 2
at 30s sums hold

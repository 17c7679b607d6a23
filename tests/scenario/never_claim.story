# never_claim adds to the special ranges and to the addresses of this system; allow_claim takes from both.
config never_claim.yaml
router edge1 preset fast

at 1s  client 192.0.2.10 asks www.example A
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.7 ttl 30
       client is answered www.example A 203.0.113.7
at 2s  client 192.0.2.10 asks own.example A
       upstream is asked own.example A
       upstream answers own.example A 203.0.113.129 ttl 30
       client is answered own.example A 203.0.113.129
at 3s  client 192.0.2.10 asks allowed.example A
       upstream is asked allowed.example A
       upstream answers allowed.example A 10.1.2.3 ttl 30
       client is answered allowed.example A 10.1.2.3
at 4s  client 192.0.2.10 asks private.example A
       upstream is asked private.example A
       upstream answers private.example A 192.168.1.1 ttl 30
       client is answered private.example A 192.168.1.1
at 5s  client 192.0.2.10 asks router.example A
       upstream is asked router.example A
       upstream answers router.example A 192.0.2.1 ttl 30
       client is answered router.example A 192.0.2.1
at 6s  client 192.0.2.10 asks upstream.example A
       upstream is asked upstream.example A
       upstream answers upstream.example A 198.51.100.53 ttl 30
       client is answered upstream.example A 198.51.100.53
at 7s  client 192.0.2.10 asks loopback.example A
       upstream is asked loopback.example A
       upstream answers loopback.example A 127.0.0.1 ttl 30
       client is answered loopback.example A 127.0.0.1

at 8s  router edge1 has row adds 203.0.113.7
       router edge1 has row adds 10.1.2.3
       router edge1 has no row adds 203.0.113.129
       router edge1 has no row adds 192.168.1.1
       router edge1 has no row adds 192.0.2.1
       router edge1 has no row adds 198.51.100.53
       router edge1 has no row adds 127.0.0.1

       # [] leaves out the special ranges, and nothing else
       router edge1 has row no_defaults 203.0.113.129
       router edge1 has row no_defaults 10.1.2.3
       router edge1 has row no_defaults 192.168.1.1
       router edge1 has no row no_defaults 192.0.2.1
       router edge1 has no row no_defaults 198.51.100.53
       router edge1 has no row no_defaults 127.0.0.1

       # an address of this system that allow_claim names is claimed; loopback never
       router edge1 has row named 192.0.2.1
       router edge1 has row named 198.51.100.53
       router edge1 has no row named 10.1.2.3
       router edge1 has no row named 127.0.0.1
       sums hold

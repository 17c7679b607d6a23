# ecs_handler as in ForgeDNS (RFC 7871).
config ecs_handler.yaml

       # forward: the client's own subnet goes there and back; a client without one gets none
at 1s  client 198.18.7.10 asks www.forward.example A ecs 198.51.100.0/24
       client 198.18.7.11 asks www.forward.example A edns
       upstream is asked www.forward.example A ecs 198.51.100.0/24
       upstream is asked www.forward.example A ecs none
       upstream is not asked
       upstream answers www.forward.example A 203.0.113.1 ttl 60 scope 16
       client 198.18.7.10 is answered www.forward.example A 203.0.113.1 ecs 198.51.100.0/24/16
       client 198.18.7.11 is answered www.forward.example A 203.0.113.1 ecs none
at 2s  client 198.18.7.12 asks www.forward.example A ecs 198.51.100.0/24
       client is answered www.forward.example A 203.0.113.1 ttl 59 ecs 198.51.100.0/24/16
       upstream is not asked

       # no option set: the subnet is removed, so that one entry serves all clients
at 3s  client 198.18.7.10 asks www.rest.example A ecs 198.51.100.0/24
       upstream is asked www.rest.example A ecs none
       upstream answers www.rest.example A 203.0.113.2 ttl 60
       client is answered www.rest.example A 203.0.113.2 ecs none
       client 198.18.7.10 asks www.rest.example A ecs 198.51.101.0/24
       upstream is not asked
       client is answered www.rest.example A 203.0.113.2 ecs none

       # send: the address, cut, with zeros behind; a cache behind the handler uses it in its key, one in front does not
at 10s client 198.18.31.10 asks www.send.example A edns
       upstream is asked www.send.example A ecs 198.18.16.0/20
       upstream answers www.send.example A 203.0.113.10 ttl 60 scope 20
       client is answered www.send.example A 203.0.113.10 ttl 60 ecs none
at 11s client 198.18.16.200 asks www.send.example A ecs 198.51.100.0/24
       upstream is not asked
       client is answered www.send.example A 203.0.113.10 ttl 59 ecs none
       client 198.18.32.1 asks www.send.example A
       upstream is asked www.send.example A ecs 198.18.32.0/20
       upstream answers www.send.example A 203.0.113.11 ttl 60 scope 20
       client is answered www.send.example A 203.0.113.11 ttl 60
at 12s client 198.18.16.1 asks www.send.example A
       client is answered www.send.example A 203.0.113.10 ttl 58
       client 2001:db8:1234:5678::1 asks www.send.example A
       upstream is asked www.send.example A ecs 2001:db8:1000::/36
       upstream answers www.send.example A 203.0.113.12 ttl 60 scope 36
       client is answered www.send.example A 203.0.113.12
       upstream is not asked
       # an answer without a subnet is cached in front as well
       client 198.18.16.1 asks same.send.example A
       upstream is asked same.send.example A ecs 198.18.16.0/20
       upstream answers same.send.example A 203.0.113.13 ttl 60 scope 0
       client is answered same.send.example A 203.0.113.13
       client 198.18.64.1 asks same.send.example A
       upstream is not asked
       client is answered same.send.example A 203.0.113.13
       # never: private, shared and loopback addresses, and clients that opt out (RFC 7871 7.1.2)
       client 192.168.1.2 asks private.send.example A
       client 10.1.2.3 asks private.send.example A
       client 100.64.0.9 asks private.send.example A
       client 127.0.0.1 asks private.send.example A
       client fd00::5 asks private.send.example A
       client 198.18.16.1 asks private.send.example A ecs 0.0.0.0/0
       upstream is asked private.send.example A ecs none
       upstream is not asked
       upstream answers private.send.example A 203.0.113.14 ttl 60
       client 192.168.1.2 is answered private.send.example A 203.0.113.14
       client fd00::5 is answered private.send.example A 203.0.113.14
       client 198.18.16.1 is answered private.send.example A 203.0.113.14

       # a preset: the same subnet for all clients; cached for that subnet
at 20s client 198.18.7.10 asks www.preset.example A ecs 198.51.100.0/24
       client 198.18.8.10 asks www.preset.example A
       upstream is asked www.preset.example A ecs 203.0.112.0/22
       upstream is not asked
       upstream answers www.preset.example A 203.0.113.20 ttl 60 scope 24
       client 198.18.7.10 is answered www.preset.example A 203.0.113.20 ttl 60 ecs none
       client 198.18.8.10 is answered www.preset.example A 203.0.113.20 ttl 60
at 21s client 198.18.9.10 asks www.preset.example A
       client is answered www.preset.example A 203.0.113.20 ttl 59
       upstream is not asked
       # a cache in front of the handler shares answers among all clients
       client 198.18.7.10 asks www.other.example A
       upstream is asked www.other.example A ecs 2001:db8:77::/48
       upstream answers www.other.example A 203.0.113.21 ttl 60 scope 48
       client is answered www.other.example A 203.0.113.21 ttl 60
       client 198.18.7.10 asks www.other.example A ecs 198.51.100.0/24
       upstream is not asked
       client is answered www.other.example A 203.0.113.21 ttl 60 ecs 198.51.100.0/24/0
       client 198.18.8.10 asks www.other.example A
       client is answered www.other.example A 203.0.113.21

       # inside of each other the outermost that has one decides; around other names, and over a wait
at 30s client 198.18.7.10 asks a.redirect.example A ecs 198.51.100.0/24
at 30030ms upstream is asked new.target.example A ecs 198.51.100.0/24
       upstream answers new.target.example A 203.0.113.30 ttl 60 scope 24
       client is answered a.redirect.example A 203.0.113.30 cname new.target.example@1 ecs 198.51.100.0/24/24
at 31s client 198.18.7.11 asks b.redirect.example A
at 31030ms upstream is asked new.target.example A ecs 198.18.7.0/24
       upstream answers new.target.example A 203.0.113.31 ttl 60 scope 24
       client is answered b.redirect.example A 203.0.113.31 cname new.target.example@1
at 32s client 192.168.0.9 asks c.redirect.example A
at 32030ms upstream is asked new.target.example A ecs 192.0.2.0/24
       upstream answers new.target.example A 203.0.113.32 ttl 60 scope 24
       client is answered c.redirect.example A 203.0.113.32 cname new.target.example@1
       upstream is not asked
at 40s sums hold

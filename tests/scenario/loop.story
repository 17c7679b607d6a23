# A forwarding loop: the upstream asks this server for what it was asked.
config loop.yaml

       # programs with the upstream's address ask the same name: all wait together
at 1s  client 192.0.2.10 asks www.example A edns
       upstream is asked www.example A
       client 198.51.100.53 asks www.example A edns
       client 192.0.2.11 asks www.example A edns
       client 198.51.100.53 asks www.example A edns
       client 198.51.100.53 asks www.example A edns
       # the upstream is tested: it answers all the same, as one that asks another server, too
       upstream is asked label.label A
       upstream is asked label.www.example A
       client 198.51.100.53 asks label.label A
       client 198.51.100.53 asks label.www.example A
       client 198.51.100.53 has no answer
       verdict loop_test is 2
       # a label of another machine is a name like others
       client 198.51.100.53 asks 0123456789abcdef0123456789abcdef.example A
       client 198.51.100.53 is answered 0123456789abcdef0123456789abcdef.example A rcode nxdomain
at +40ms upstream answers label.label A nxdomain
       upstream answers label.www.example A nxdomain
at +2s client 198.51.100.53 has no answer
       upstream was asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 60
       client 192.0.2.10 is answered www.example A 203.0.113.1
       client 192.0.2.11 is answered www.example A 203.0.113.1
       client 198.51.100.53 is answered www.example A 203.0.113.1
       client 198.51.100.53 is answered www.example A 203.0.113.1
       client 198.51.100.53 is answered www.example A 203.0.113.1
       stat upstream_coalesced is 4
       stat loop_tests is 1
       stat loops_proved is 0

       # a minute later: all comes back, from another address of the router
at 2m  client 192.0.2.10 asks a.example A edns
       upstream is asked a.example A
       client 198.51.100.53 asks a.example A edns
       client 192.0.2.10 asks b.example A edns
       upstream is asked b.example A
       client 198.51.100.53 asks b.example A edns
       upstream is asked label.label A
       upstream is asked label.a.example A
       upstream is not asked
       client 203.0.113.99 asks label.label A
       client 203.0.113.99 asks label.a.example A
       client 203.0.113.99 has no answer
at +499ms client 198.51.100.53 has no answer
       stat loops_proved is 0
       # both end within a second: the upstream reports the failure, and there is no other one
at +260ms client 198.51.100.53 is answered a.example A rcode servfail ede 23
       client 198.51.100.53 is answered b.example A rcode servfail ede 23
       stat loops_proved is 2
       stat upstream_loops is 2
       client 192.0.2.10 has no answer
       upstream answers a.example A servfail
       upstream answers b.example A servfail
       client 192.0.2.10 is answered a.example A rcode servfail
       client 192.0.2.10 is answered b.example A rcode servfail

       # from now on at once, for each name; other clients still wait for the first question
       client 192.0.2.10 asks c.example A edns
       upstream is asked c.example A
       client 198.51.100.53 asks c.example A edns
       client 203.0.113.99 asks c.example A edns
       client 192.0.2.11 asks c.example A edns
at +2ms client 198.51.100.53 is answered c.example A rcode servfail ede 23
       client 203.0.113.99 is answered c.example A rcode servfail ede 23
       upstream answers c.example A 203.0.113.3
       client 192.0.2.10 is answered c.example A 203.0.113.3
       client 192.0.2.11 is answered c.example A 203.0.113.3
       upstream is not asked

       # the loop is removed: the next test proves nothing, and equal questions wait again
at 4m  client 192.0.2.10 asks d.example A edns
       upstream is asked d.example A
       client 198.51.100.53 asks d.example A edns
       upstream is asked label.label A
       upstream is asked label.d.example A
at +1s client 198.51.100.53 has no answer
       upstream answers d.example A 203.0.113.4
       client 192.0.2.10 is answered d.example A 203.0.113.4
       client 198.51.100.53 is answered d.example A 203.0.113.4
       stat upstream_loops is 4
       sums hold

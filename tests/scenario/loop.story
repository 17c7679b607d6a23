# A forwarding loop: the upstream asks this server for what it was asked.
config loop.yaml

       # a client behind a NAT of the upstream asks the same name, twice: both wait
at 1s  client 192.0.2.10 asks www.example A edns
       upstream is asked www.example A
       client 198.51.100.53 asks www.example A edns
       client 192.0.2.11 asks www.example A edns
       upstream answers www.example A 203.0.113.1 ttl 60
       client 192.0.2.10 is answered www.example A 203.0.113.1
       client 192.0.2.11 is answered www.example A 203.0.113.1
       client 198.51.100.53 is answered www.example A 203.0.113.1
       stat upstream_coalesced is 2

       # the third question in a row that comes back, without an answer between them
at 2s  client 192.0.2.10 asks a.example A
       upstream is asked a.example A
       client 198.51.100.53 asks a.example A
       client 192.0.2.10 asks b.example A
       upstream is asked b.example A
       client 198.51.100.53 asks b.example A
       client 198.51.100.53 has no answer
       client 192.0.2.10 asks c.example A edns
       upstream is asked c.example A
       client 198.51.100.53 asks c.example A edns
at +2ms client 198.51.100.53 is answered c.example A rcode servfail ede 23
       stat upstream_loops is 1
       # it reports the failure, and there is no other upstream
       upstream answers c.example A servfail
       client 192.0.2.10 is answered c.example A rcode servfail

       # a question that is not ours is resolved, or comes back as well
at 3s  client 192.0.2.10 asks d.example A
       upstream is asked d.example A
       client 198.51.100.53 asks d.example A
at +2ms client 198.51.100.53 is answered d.example A rcode servfail
       stat upstream_loops is 2
       # the answer of an upstream that does not ask us takes one back
       upstream answers d.example A 203.0.113.4
       client 192.0.2.10 is answered d.example A 203.0.113.4
       client 192.0.2.10 asks e.example A
       upstream answers e.example A 203.0.113.5
       client 192.0.2.10 is answered e.example A 203.0.113.5
       upstream was asked e.example A
       client 192.0.2.10 asks g.example A
       upstream answers g.example A 203.0.113.6
       client 192.0.2.10 is answered g.example A 203.0.113.6
       upstream was asked g.example A
       client 192.0.2.10 asks f.example A
       upstream is asked f.example A
       client 198.51.100.53 asks f.example A
       client 198.51.100.53 has no answer
at 20s stat upstream_loops is 2
       sums hold

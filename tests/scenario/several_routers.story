# One list on two routers: an answer waits for the routers that serve its client, and only they get its rows.
config several_routers.yaml
router edge1 latency 2ms
router edge2 latency 20ms

# A client of the first router: the second one gets no row.
at 1s   client 10.1.0.5 asks a.stream.example A
        upstream answers a.stream.example A 203.0.113.1 ttl 300
at +8ms client 10.1.0.5 is answered a.stream.example A 203.0.113.1
        router edge1 has row policy 203.0.113.1
        router edge2 has 0 rows in policy

# A hit for a client of the second router waits for that router's row. Then the row board has both.
at 2s   client 10.2.0.5 asks a.stream.example A
at +15ms client has no answer
at +30ms client 10.2.0.5 is answered a.stream.example A 203.0.113.1
        router edge2 has row policy 203.0.113.1
        outcome installed is 2
        client 10.2.0.6 asks a.stream.example A
        client 10.2.0.6 is answered a.stream.example A 203.0.113.1

# A forwarder, or a client that no router serves by `serves`, may use any router: both get rows.
at 3s   client 10.9.0.1 asks b.stream.example A
        upstream answers b.stream.example A 203.0.113.2 ttl 300
at +15ms client has no answer
at +30ms client 10.9.0.1 is answered b.stream.example A 203.0.113.2
        router edge1 has row policy 203.0.113.2
        router edge2 has row policy 203.0.113.2
at 4s   client 192.0.2.77 asks c.stream.example A
        upstream answers c.stream.example A 203.0.113.3 ttl 300
at +15ms client has no answer
at +30ms client 192.0.2.77 is answered c.stream.example A 203.0.113.3
        router edge1 has row policy 203.0.113.3
        router edge2 has row policy 203.0.113.3

# An unreachable router is not waited for, and the rows of the other stay known.
at 10s  router edge2 reboots for 60s
at 11s  client 192.0.2.77 asks c.stream.example A
        client 192.0.2.77 is answered c.stream.example A 203.0.113.3
        client 192.0.2.77 asks d.stream.example A
        upstream answers d.stream.example A 203.0.113.4 ttl 300
at +8ms client 192.0.2.77 is answered d.stream.example A 203.0.113.4
        client 10.2.0.5 asks e.stream.example A
        upstream answers e.stream.example A 203.0.113.5 ttl 300
        client 10.2.0.5 is answered e.stream.example A 203.0.113.5
        router edge1 has no row policy 203.0.113.5

# When it is back, it gets the rows of its clients and counts again.
at 80s  router edge2 has row policy 203.0.113.1
        router edge2 has row policy 203.0.113.3
        router edge2 has row policy 203.0.113.4
        router edge2 has row policy 203.0.113.5
        client 192.0.2.77 asks d.stream.example A
        client 192.0.2.77 is answered d.stream.example A 203.0.113.4
        client 192.0.2.77 asks f.stream.example A
        upstream answers f.stream.example A 203.0.113.6 ttl 300
at +15ms client has no answer
at +30ms client 192.0.2.77 is answered f.stream.example A 203.0.113.6
        sums hold

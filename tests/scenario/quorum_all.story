# quorum: all. No answer leaves before all routers have its row; while one is away, on_timeout decides at once.
config several_routers.yaml
environment QUORUM all
environment ON_TIMEOUT servfail
router edge1 latency 2ms
router edge2 latency 20ms

at 1s   client 192.0.2.77 asks a.stream.example A
        upstream answers a.stream.example A 203.0.113.1 ttl 300
at +15ms client has no answer
at +30ms client 192.0.2.77 is answered a.stream.example A 203.0.113.1
at 5s   router edge2 reboots for 60s
at 6s   client 192.0.2.77 asks a.stream.example A
        client 192.0.2.77 is answered a.stream.example A rcode servfail
        client 192.0.2.77 asks b.stream.example A
        upstream answers b.stream.example A 203.0.113.2 ttl 300
        client 192.0.2.77 is answered b.stream.example A rcode servfail
        # Clients of the other have theirs whole.
        client 10.1.0.5 asks c.stream.example A
        upstream answers c.stream.example A 203.0.113.3 ttl 300
at +8ms client 10.1.0.5 is answered c.stream.example A 203.0.113.3
at 70s  router edge2 has row policy 203.0.113.1
        router edge2 has row policy 203.0.113.2
        client 192.0.2.77 asks b.stream.example A
        client 192.0.2.77 is answered b.stream.example A 203.0.113.2
        sums hold

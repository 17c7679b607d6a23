# quorum: any. The first router that has the row lets the answer go; the others get it as well.
config several_routers.yaml
environment QUORUM any
router edge1 latency 2ms
router edge2 latency 20ms

at 1s   client 192.0.2.77 asks a.stream.example A
        upstream answers a.stream.example A 203.0.113.1 ttl 300
at +8ms client 192.0.2.77 is answered a.stream.example A 203.0.113.1
        outcome installed is 1
        # Known to be on both: nothing is raised any more.
at +60ms router edge2 has row policy 203.0.113.1
        client 192.0.2.77 asks a.stream.example A
        client 192.0.2.77 is answered a.stream.example A 203.0.113.1
        stat events_raised is 1
        # The one that is quick is away: the other is the first.
at 5s   router edge1 reboots for 60s
at 6s   client 192.0.2.77 asks b.stream.example A
        upstream answers b.stream.example A 203.0.113.2 ttl 300
at +15ms client has no answer
at +30ms client 192.0.2.77 is answered b.stream.example A 203.0.113.2
        outcome installed is 2
at 70s  router edge1 has row policy 203.0.113.2
        sums hold

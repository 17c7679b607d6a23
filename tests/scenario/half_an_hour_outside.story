# Names asked again and again for half an hour, TTLs from 5 s to a day: the judge reads the logs and finds no gap.
config outside.yaml
router edge1 preset fast latency 2ms

at 1s  upstream serves a.stream.example A 203.0.113.1 ttl 5 after 3ms
       upstream serves b.stream.example A 203.0.113.2 203.0.113.3 ttl 30 after 3ms
       upstream serves c.stream.example A 203.0.113.4 ttl 61 after 3ms
       upstream serves d.stream.example A 203.0.113.5 ttl 300 after 3ms
       upstream serves e.stream.example A 203.0.113.6 ttl 1799 after 3ms
       upstream serves f.stream.example A 203.0.113.7 ttl 3600 after 3ms
       upstream serves g.stream.example A 203.0.113.8 ttl 86400 after 3ms
       upstream serves h.stream.example A 203.0.113.2 ttl 600 after 3ms
       every 1700ms until 30m client 192.0.2.10 asks a.stream.example A
       every 4300ms until 30m client 192.0.2.11 asks b.stream.example A
       every 7s until 30m client 192.0.2.12 asks c.stream.example A
       every 11s until 30m client 192.0.2.13 asks d.stream.example A
       every 97s until 30m client 192.0.2.14 asks e.stream.example A
       every 61s until 30m client 192.0.2.15 asks f.stream.example A
       every 590s until 30m client 192.0.2.16 asks g.stream.example A
       every 230s until 30m client 192.0.2.17 asks h.stream.example A
at 31m outcome late is 0
       sums hold
at 62m outcome late is 0

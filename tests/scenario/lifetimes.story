# How long a row lives, and that no client holds an address for longer (docs/explanation/architecture.md, section 5).
config lifetimes.yaml

at 1s  router edge1 has row permanent 192.0.2.200 permanent
       router edge1 has row permanent 192.0.2.201 permanent
       router edge1 has row permanent 203.0.113.0/28 permanent
       router edge1 has row permanent 198.51.100.0/24 permanent

       # min_ttl 60, max_ttl 1800, extra_time 30
       client 192.0.2.10 asks a.clamped.example A
       upstream answers a.clamped.example A 203.0.113.101 ttl 30
       client is answered a.clamped.example A 203.0.113.101 ttl 30
       client 192.0.2.10 asks b.clamped.example A
       upstream answers b.clamped.example A 203.0.113.102 ttl 300
       client is answered b.clamped.example A 203.0.113.102 ttl 300
       client 192.0.2.10 asks c.clamped.example A
       upstream answers c.clamped.example A 203.0.113.103 ttl 86400
       client is answered c.clamped.example A 203.0.113.103 ttl 1770
at +5ms router edge1 has row clamped 203.0.113.101 timeout 59..60
       router edge1 has row clamped 203.0.113.102 timeout 329..330
       router edge1 has row clamped 203.0.113.103 timeout 1799..1800

       # fixed_ttl 300
       client 192.0.2.10 asks d.fixed.example A
       upstream answers d.fixed.example A 203.0.113.104 ttl 86400
       client is answered d.fixed.example A 203.0.113.104 ttl 270
at +5ms router edge1 has row fixed 203.0.113.104 timeout 299..300

       # fixed_ttl 0: no timeout, and the TTL is unchanged
       client 192.0.2.10 asks e.permanent.example A
       upstream answers e.permanent.example A 192.0.2.77 ttl 86400
       client is answered e.permanent.example A 192.0.2.77 ttl 86400
at +5ms router edge1 has row permanent 192.0.2.77 permanent
       sums hold

# Zones by transfer that were not transferred yet: a local zone does not leak its names, a policy lets all names through.
config secondary.yaml

at 1s  client 192.0.2.10 asks www.corp.example A
       client is answered www.corp.example A rcode servfail
       client 192.0.2.10 asks corp.example SOA
       client is answered corp.example SOA rcode servfail
       upstream is not asked
       client 192.0.2.10 asks other.example A
       upstream is asked other.example A
       upstream answers other.example A 203.0.113.1 ttl 300
       client is answered other.example A 203.0.113.1 ttl 300

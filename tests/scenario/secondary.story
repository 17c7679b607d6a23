# Zones by transfer before their first transfer: a local zone answers SERVFAIL and leaks no name; a policy has no triggers yet.
config secondary.yaml

at 1s  client 192.0.2.10 asks www.corp.example A
       client is answered www.corp.example A rcode servfail
       client 192.0.2.10 asks corp.example SOA
       client is answered corp.example SOA rcode servfail
       client 192.0.2.10 asks www.corp.example DS
       client is answered www.corp.example DS rcode servfail
       upstream is not asked
       client 192.0.2.10 asks other.example A
       upstream is asked other.example A
       upstream answers other.example A 203.0.113.1 ttl 300
       client is answered other.example A 203.0.113.1 ttl 300

# The DS record of the zone itself is its parent's (RFC 4035 3.1.4.1).
at 2s  client 192.0.2.10 asks corp.example DS
       upstream is asked corp.example DS

# An answer below min_positive_ttl is sent unchanged and not cached; an answer at the limit is cached.
config min_positive_ttl.yaml

at 1s  client 192.0.2.10 asks short.example A
       upstream is asked short.example A
       upstream answers short.example A 203.0.113.1 ttl 59
       client is answered short.example A 203.0.113.1 ttl 59
at 2s  client 192.0.2.10 asks short.example A
       upstream is asked short.example A
       upstream answers short.example A 203.0.113.1 ttl 60
       client is answered short.example A 203.0.113.1 ttl 60
at 3s  client 192.0.2.10 asks short.example A
       client is answered short.example A 203.0.113.1 ttl 59
       upstream is not asked
       sums hold

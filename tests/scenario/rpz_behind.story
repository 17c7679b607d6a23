# A response policy zone behind a cache: the cache holds answers without the policy, and every hit applies the policy.
config rpz_behind.yaml

       # cached as upstreams answered, sent as the policy allows
at 1s  client 192.0.2.10 asks fine.example A
       upstream is asked fine.example A
       upstream answers fine.example A 203.0.113.1 ttl 300
       client is answered fine.example A 203.0.113.1 ttl 300
       client 192.0.2.67 asks fine.example A
       client is answered fine.example A rcode nxdomain soa ttl 90
       client 192.0.2.10 asks fine.example A
       client is answered fine.example A 203.0.113.1 ttl 300
       upstream is not asked

       # what a zone answers is not kept: it may be for this client alone
       client 192.0.2.67 asks other.example A
       client is answered other.example A rcode nxdomain soa
       client 192.0.2.10 asks other.example A
       upstream is asked other.example A
       upstream answers other.example A 203.0.113.2 ttl 300
       client is answered other.example A 203.0.113.2 ttl 300
       client 192.0.2.66 asks nx.example A
       upstream is asked nx.example A
       upstream answers nx.example A 203.0.113.3 ttl 300
       client is answered nx.example A 203.0.113.3
       client 192.0.2.10 asks nx.example A
       client is answered nx.example A rcode nxdomain soa
       upstream is not asked

       # by the address: a client that is let through leaves an answer in the cache that others may not have
at 2s  client 192.0.2.66 asks r1.example A
       upstream is asked r1.example A
       upstream answers r1.example A 198.51.100.1 ttl 300
       client is answered r1.example A 198.51.100.1
       client 192.0.2.10 asks r1.example A
       client is answered r1.example A rcode nxdomain soa
       client 192.0.2.11 asks r1.example A
       client is answered r1.example A rcode nxdomain soa
       upstream is not asked

       # another name, which is not kept for the first one either
       client 192.0.2.10 asks alias.example A
       upstream is asked walled.garden.example A
       upstream answers walled.garden.example A 203.0.113.4 ttl 300
       client is answered alias.example A cname walled.garden.example@60 203.0.113.4
       client 192.0.2.66 asks alias.example A
       upstream is asked alias.example A
       upstream answers alias.example A 203.0.113.5 ttl 300
       client is answered alias.example A 203.0.113.5
       client 192.0.2.10 asks alias.example A
       upstream is asked walled.garden.example A
       upstream answers walled.garden.example A 203.0.113.4 ttl 300
       client is answered alias.example A cname walled.garden.example@60 203.0.113.4

       # an IPv4 address that is denied is so behind a translator's prefix as well
at 3s  client 2001:db8::1 asks r1.example AAAA
       upstream was asked r1.example A
       upstream was asked r1.example AAAA
       upstream answers r1.example AAAA empty soa 60 60
       upstream answers r1.example A 198.51.100.1 ttl 300
       client is answered r1.example AAAA rcode nxdomain soa
       client 2001:db8::1 asks r203.example AAAA
       upstream was asked r203.example A
       upstream was asked r203.example AAAA
       upstream answers r203.example AAAA empty soa 60 60
       upstream answers r203.example A 203.0.113.6 ttl 300
       client is answered r203.example AAAA 64:ff9b::cb00:7106
       sums hold

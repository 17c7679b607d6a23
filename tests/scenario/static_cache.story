# Answers of a FWD record's forwarder are cached with their response codes, and a hit is claimed like the first answer.
config static_cache.yaml
router edge1 preset fast latency 10ms
router edge2 preset fast latency 10ms

at 1s  client 192.0.2.10 asks www.corp.example A
       upstream 198.51.100.54 is asked www.corp.example A
       upstream answers www.corp.example A 203.0.113.20 ttl 300
       client is answered www.corp.example A 203.0.113.20 ttl 300
       client 192.0.2.10 asks nowhere.corp.example A
       upstream 198.51.100.54 is asked nowhere.corp.example A
       upstream answers nowhere.corp.example A nxdomain soa 60 60
       client is answered nowhere.corp.example A rcode nxdomain soa ttl 60
at 11s client 192.0.2.10 asks www.corp.example A
       client is answered www.corp.example A 203.0.113.20 ttl 290
       client 192.0.2.10 asks nowhere.corp.example A
       client is answered nowhere.corp.example A rcode nxdomain soa ttl 50
       upstream is not asked
       stat cache_hits is 2

       # its AAAA is what the forwarder says, however often: no DNS64 is met, fresh or kept
at 12s client 2001:db8:1::10 asks www.corp.example AAAA
       upstream 198.51.100.54 is asked www.corp.example AAAA
       upstream answers www.corp.example AAAA empty soa 60 60
       client is answered www.corp.example AAAA rcode noerror soa ttl 60
       client 2001:db8:1::10 asks www.corp.example AAAA
       client is answered www.corp.example AAAA rcode noerror soa ttl 60
       upstream is not asked

       # in the list with the first answer, and with a hit: the router of the second client has not heard of it yet
at 20s client 10.1.0.5 asks www.media.example A
       upstream 198.51.100.54 is asked www.media.example A
       upstream answers www.media.example A 203.0.113.21 ttl 300
       client is answered www.media.example A 203.0.113.21 ttl 300
at +60ms router edge1 has row vpn_v4 203.0.113.21 timeout 325..331
       router edge2 has 0 rows in vpn_v4
at 40s client 10.2.0.5 asks www.media.example A
       client is answered www.media.example A 203.0.113.21
       upstream is not asked
at +60ms router edge2 has row vpn_v4 203.0.113.21

       # an alias gets the same answer, as long as it is cached
at 50s client 192.0.2.10 asks www.lan A
       client is answered www.lan A cname www.media.example@1770 203.0.113.21
       upstream is not asked

       # without a forwarder the rest is asked, which has the cache by itself and keeps the list
at 60s client 10.1.0.5 asks rest.example A
       upstream 198.51.100.53 is asked rest.example A
       upstream answers rest.example A 203.0.113.22 ttl 300
       client is answered rest.example A 203.0.113.22
at 71s client 10.2.0.5 asks rest.example A
       client is answered rest.example A 203.0.113.22
       upstream is not asked
at +60ms router edge2 has row vpn_v4 203.0.113.22

       # behind a DNS64 what the forwarder said is kept as it said it: for both questions of a synthesis, and for those of clients
at 100s client 2001:db8:1::10 asks six.example AAAA
       upstream 198.51.100.54 is asked six.example AAAA
       upstream 198.51.100.54 is asked six.example A
       upstream answers six.example AAAA empty soa 600 600
       upstream answers six.example A 203.0.113.1 ttl 30
       client is answered six.example AAAA 64:ff9b::cb00:7101 ttl 30
at 110s client 192.0.2.10 asks six.example A
       client is answered six.example A 203.0.113.1 ttl 20
       upstream is not asked
at 140s client 2001:db8:1::10 asks six.example AAAA
       upstream 198.51.100.54 is asked six.example A
       upstream is not asked
       upstream answers six.example A 203.0.113.2 ttl 30
       client is answered six.example AAAA 64:ff9b::cb00:7102 ttl 30

       # kept until its TTL ends
at 302s client 192.0.2.10 asks www.corp.example A
       upstream 198.51.100.54 is asked www.corp.example A
       upstream answers www.corp.example A 203.0.113.30 ttl 300
       client is answered www.corp.example A 203.0.113.30 ttl 300
at 303s sums hold

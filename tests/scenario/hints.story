# Clients connect to the addresses in HTTPS records, so these are claimed like those of A and AAAA.
config cached.yaml
router edge1 preset fast latency 10ms

       # held until both rows are there; no TTL outlives them
at 1s  client 192.0.2.10 asks www.stream.example HTTPS
       upstream answers www.stream.example HTTPS 203.0.113.7 2001:db8::7 ttl 86400
       client has no answer
       router edge1 has no row policy_set_v4 203.0.113.7
at +30ms router edge1 has row policy_set_v4 203.0.113.7 timeout 1800..1802
       router edge1 has row policy_set_v6 2001:db8::7/128 timeout 1800..1802
       client is answered www.stream.example HTTPS 203.0.113.7 2001:db8::7 ttl 1770
       outcome installed is 1

       # a hit whose rows are there leaves at once and claims nothing
at 11s client 192.0.2.11 asks www.stream.example HTTPS
       client is answered www.stream.example HTTPS 203.0.113.7 2001:db8::7 ttl 1750..1762
       router edge1 has 1 rows in policy_set_v4
       stat claims_covered is 1

       # and one whose rows are lost brings them back before it leaves
at 20s router edge1 reboots for 5s
at 40s client 192.0.2.12 asks www.stream.example HTTPS
at +30ms client is answered www.stream.example HTTPS 203.0.113.7 2001:db8::7 ttl 1720..1770
       router edge1 has row policy_set_v4 203.0.113.7
       router edge1 has row policy_set_v6 2001:db8::7/128

       # of a name that is in no set: nothing
       client 192.0.2.12 asks www.other.example HTTPS
       upstream answers www.other.example HTTPS 203.0.113.9 ttl 300
       client is answered www.other.example HTTPS 203.0.113.9 ttl 300
at +30ms router edge1 has no row policy_set_v4 203.0.113.9
       sums hold

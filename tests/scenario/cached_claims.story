# A cached answer claims as a fresh one does, also after the router lost the row.
config cached.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 300
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 300
       router edge1 has row policy_set_v4 203.0.113.7
       upstream is asked www.stream.example A
at 101s client 192.0.2.11 asks www.stream.example A
       upstream is not asked
       client is answered www.stream.example A 203.0.113.7 ttl 199..200
       stat cache_hits is 1
       # after a reboot the first hit asks for the row again, if it is not repaired yet
at 110s router edge1 reboots for 5s
at 130s client 192.0.2.12 asks www.stream.example A
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 170..172
       router edge1 has row policy_set_v4 203.0.113.7
       # after its TTL the entry is removed and asked for again
at 302s client 192.0.2.10 asks www.stream.example A
       upstream is asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.8 ttl 300
at +20ms client is answered www.stream.example A 203.0.113.8 ttl 300
       sums hold

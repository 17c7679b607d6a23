# As power_fails, where answers do not wait for the router.
config power_fails_async.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 1000
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 1000
at 401s power fails for 300s uptime 10s
       client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 298..300
at +20ms router edge1 has row policy_set_v4 203.0.113.7 timeout 325..332
at +60s client 192.0.2.11 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 238..240
at +100ms client 192.0.2.11 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7 ttl 238..240
       upstream is not asked
       sums hold

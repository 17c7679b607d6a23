# A reboot drops the timed rows: they are back before the leases of clients end.
config async.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks a.stream.example A
       upstream answers a.stream.example A 203.0.113.1 ttl 600
       client 192.0.2.10 asks b.stream.example A
       upstream answers b.stream.example A 203.0.113.2 ttl 600
       client is answered a.stream.example A 203.0.113.1
       client is answered b.stream.example A 203.0.113.2
at 2s  router edge1 has 2 rows in policy_set_v4
       router edge1 gets foreign row policy_set_v4 198.51.100.99
at 10s router edge1 reboots for 20s
       router edge1 has 1 rows in policy_set_v4
       # DNS goes on
at 15s client 192.0.2.10 asks c.stream.example A
       upstream answers c.stream.example A 203.0.113.3 ttl 600
       client is answered c.stream.example A 203.0.113.3
at 35s router edge1 has row policy_set_v4 203.0.113.1 timeout 590..640
       router edge1 has row policy_set_v4 203.0.113.2 timeout 590..640
       router edge1 has row policy_set_v4 203.0.113.3
       router edge1 has row policy_set_v4 198.51.100.99 permanent
       sums hold

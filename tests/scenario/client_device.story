# Without a lease, a device is found by the source MAC address of the frame.
config client_device.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 300
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 300
       router edge1 has row gold_v4 203.0.113.7
       router edge1 has no row rest_v4 203.0.113.7
       # a hit chooses the list again for each client
at 11s client 192.0.2.11 asks www.stream.example A
       upstream is asked www.stream.example A
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 290
       stat cache_guarded_hits is 1
       sums hold

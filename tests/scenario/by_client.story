# The list of a cached answer depends on the client that asks now, not on the first client.
config by_client.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 ttl 300
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 300
       router edge1 has row gold_v4 203.0.113.7
       router edge1 has no row rest_v4 203.0.113.7
       # the other client's answer is held until its own row is written
       upstream is asked www.stream.example A
at 11s client 192.0.2.11 asks www.stream.example A
       upstream is not asked
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 290
       router edge1 has row rest_v4 203.0.113.7
       stat cache_guarded_hits is 1
       # a hit by the first client claims only gold: after a reboot, each row comes back with a query of its own client
at 20s router edge1 reboots for 5s
at 40s client 192.0.2.10 asks www.stream.example A
at +20ms client is answered www.stream.example A 203.0.113.7 ttl 259..261
       router edge1 has row gold_v4 203.0.113.7

       # a list without the family empties the answer of its own client and of no other
at 50s client 192.0.2.11 asks six.example AAAA
       upstream answers six.example AAAA 2001:db8::7 ttl 300
       upstream is asked six.example AAAA
at +20ms client is answered six.example AAAA
at 51s client 192.0.2.10 asks six.example AAAA
at +20ms client is answered six.example AAAA 2001:db8::7 ttl 299
at 52s client 192.0.2.11 asks six.example AAAA
at +20ms client is answered six.example AAAA
       stat cache_hits is 4
       sums hold

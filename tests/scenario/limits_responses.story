# A flood with a victim's address gets few answers. The victim still gets answers of other names, and TC.
config limits_responses.yaml

at 0s    client 192.0.2.10 asks big.example A
         upstream is asked big.example A
         upstream answers big.example A 203.0.113.7 ttl 300
         client is answered big.example A 203.0.113.7 ttl 300
         client 192.0.2.10 asks big.example A
         client is answered big.example A 203.0.113.7 ttl 300
         client 192.0.2.10 asks big.example A
         client has no answer
         client 192.0.2.10 asks big.example A
         client is answered big.example A truncated
         client 192.0.2.10 asks big.example A
         client has no answer
         client 192.0.2.10 asks other.example A
         upstream is asked other.example A
         upstream answers other.example A 203.0.113.1 ttl 300
         client is answered other.example A 203.0.113.1 ttl 300
         # another prefix has buckets of its own
         client 198.51.100.10 asks big.example A
         client is answered big.example A 203.0.113.7 ttl 300
         verdict limited_dropped is 2
         verdict limited_truncated is 1

at 1s    client 192.0.2.10 asks big.example A
         client is answered big.example A 203.0.113.7 ttl 299
         sums hold

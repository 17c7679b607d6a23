# As clients see it, the TTL of one answer only goes down: the fresh one, those that waited with it, hits on any worker.
config cached.yaml
workers 2
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.example A
       client 192.0.2.11 asks www.example A
       client 192.0.2.12 asks www.example A
at 2s  upstream was asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 300
       client 192.0.2.10 is answered www.example A 203.0.113.1 ttl 300
       client 192.0.2.11 is answered www.example A 203.0.113.1 ttl 300
       client 192.0.2.12 is answered www.example A 203.0.113.1 ttl 300
at 3s  client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 299
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 299
at 100s client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 202
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 202
at 301s client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 1
       client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 1
       upstream is not asked
at 302s client 192.0.2.11 asks www.example A
       upstream is asked www.example A
       client has no answer
at 310s sums hold

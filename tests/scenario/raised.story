# A task is raised by each query that comes to it, also one that the cache answers; the query waits for nothing.
config raised.yaml
workers 2

at 1s  client 192.0.2.10 asks www.other.example A
at +1ms upstream is asked www.other.example A
       upstream answers www.other.example A 203.0.113.1 ttl 300
at +1ms client is answered www.other.example A 203.0.113.1 ttl 300
       task before is not raised
       task inside is not raised
       task behind is not raised

at 2s  client 192.0.2.10 asks www.stream.example A
at +1ms task before is raised
       task inside is raised
       task behind is not raised
       upstream is asked www.stream.example A
       upstream answers www.stream.example A 203.0.113.2 ttl 300
at +1ms client is answered www.stream.example A 203.0.113.2 ttl 300
       task behind is raised

       # a hit: what is before the cache and behind it
at 3s  client 192.0.2.10 asks www.stream.example A
at +1ms client is answered www.stream.example A 203.0.113.2 ttl 298..299
       upstream is not asked
       task before is raised
       task inside is not raised
       task behind is raised

       # many are one
at 4s  client 192.0.2.10 asks www.stream.example A
       client 192.0.2.11 asks www.stream.example A
       client 192.0.2.12 asks www.stream.example A
at +1ms task before is raised
       task before is not raised
       client 192.0.2.10 is answered www.stream.example A 203.0.113.2
       client 192.0.2.11 is answered www.stream.example A 203.0.113.2
       client 192.0.2.12 is answered www.stream.example A 203.0.113.2
       sums hold

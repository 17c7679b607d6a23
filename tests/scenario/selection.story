# response_selection chooses among the answers of upstreams asked at the same time; trust_ad chooses whose AD is kept.
config selection.yaml

       # balanced: a negative answer waits 100 ms for one with records
at 1s  client 192.0.2.10 asks a.balanced.example A
       upstream 198.51.100.53 is asked a.balanced.example A
       upstream 198.51.100.54 is asked a.balanced.example A
at +1ms upstream 198.51.100.53 answers a.balanced.example A nxdomain soa 60 60
       client has no answer
at +90ms upstream 198.51.100.54 answers a.balanced.example A 203.0.113.7 ttl 300
       client is answered a.balanced.example A 203.0.113.7
       stat upstream_negative_held is 1

at 2s  client 192.0.2.10 asks b.balanced.example A
       upstream 198.51.100.53 answers b.balanced.example A nxdomain soa 60 60
at +95ms client has no answer
at +10ms client is answered b.balanced.example A rcode nxdomain soa

       # the first one with records is taken at once
at 3s  client 192.0.2.10 asks c.balanced.example A
       upstream 198.51.100.54 answers c.balanced.example A 203.0.113.8 ttl 300
       client is answered c.balanced.example A 203.0.113.8

       # after a failure of one upstream, the query waits for the other one
at 4s  client 192.0.2.10 asks d.balanced.example A
       upstream 198.51.100.54 answers d.balanced.example A servfail
       client has no answer
       upstream 198.51.100.53 answers d.balanced.example A empty soa 60 60
       client is answered d.balanced.example A soa

       # fastest: the first answer
at 5s  client 192.0.2.10 asks a.fastest.example A
       upstream 198.51.100.54 answers a.fastest.example A nxdomain soa 60 60
       client is answered a.fastest.example A rcode nxdomain soa

       # prefer_positive: all are waited for
at 6s  client 192.0.2.10 asks a.positive.example A
       upstream 198.51.100.53 answers a.positive.example A nxdomain soa 60 60
at 7s  client has no answer
       upstream 198.51.100.54 answers a.positive.example A 203.0.113.9 ttl 300
       client is answered a.positive.example A 203.0.113.9

at 8s  client 192.0.2.10 asks b.positive.example A
       upstream 198.51.100.53 answers b.positive.example A nxdomain soa 60 60
       upstream 198.51.100.54 answers b.positive.example A empty soa 60 60
       client is answered b.positive.example A soa

       # consensus: two equal answers, or one with records
at 9s  client 192.0.2.10 asks a.consensus.example A
       upstream 198.51.100.53 answers a.consensus.example A nxdomain soa 60 60
       upstream 198.51.100.54 answers a.consensus.example A empty soa 60 60
       client has no answer
       upstream 198.51.100.55 answers a.consensus.example A nxdomain soa 60 60
       client is answered a.consensus.example A rcode nxdomain soa
at 10s client 192.0.2.10 asks b.consensus.example A
       upstream 198.51.100.53 answers b.consensus.example A nxdomain soa 60 60
       upstream 198.51.100.54 answers b.consensus.example A 203.0.113.10 ttl 300
       client is answered b.consensus.example A 203.0.113.10

       # AD: of an upstream that is trusted, and to clients that set AD or DO (RFC 6840 5.7, 5.8)
at 20s client 192.0.2.10 asks signed.balanced.example A
       upstream 198.51.100.53 answers signed.balanced.example A 203.0.113.11 ttl 300 ad
       client is answered signed.balanced.example A 203.0.113.11 not ad
       client 192.0.2.10 asks signed.balanced.example A ad
       client is answered signed.balanced.example A 203.0.113.11 ad
       client 192.0.2.10 asks signed.balanced.example A do
       upstream 198.51.100.53 answers signed.balanced.example A 203.0.113.11 ttl 300 ad
       client is answered signed.balanced.example A 203.0.113.11 ad
       # the other one is not trusted to validate
       client 192.0.2.10 asks other.balanced.example A ad
       upstream 198.51.100.54 answers other.balanced.example A 203.0.113.12 ttl 300 ad
       client is answered other.balanced.example A 203.0.113.12 not ad
       client 192.0.2.11 asks other.balanced.example A do
       upstream 198.51.100.54 answers other.balanced.example A 203.0.113.12 ttl 300 ad
       client is answered other.balanced.example A 203.0.113.12 not ad
       sums hold

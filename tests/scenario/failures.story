# RFC 9520: a resolution failure is cached for 5 s, and an upstream is asked three times at most.
config cached.yaml

at 1s  client 192.0.2.10 asks a.example A
       upstream is asked a.example A
       upstream answers a.example A servfail
       client is answered a.example A rcode servfail
at 3s  client 192.0.2.11 asks a.example A edns
       client is answered a.example A rcode servfail ede 13
       upstream is not asked
       stat cache_failure_hits is 1
       # per name and type
       client 192.0.2.11 asks a.example AAAA
       upstream is asked a.example AAAA
       upstream answers a.example AAAA refused
       client is answered a.example AAAA rcode refused
       client 192.0.2.11 asks a.example AAAA
       client is answered a.example AAAA rcode refused
       upstream is not asked
at 7s  client 192.0.2.11 asks a.example A
       upstream is asked a.example A
       upstream answers a.example A 203.0.113.1 ttl 60
       client is answered a.example A 203.0.113.1

       # silence
at 20s client 192.0.2.10 asks b.example A edns
at 26s client is answered b.example A rcode servfail ede 22
       stat upstream_queries is 6
       upstream was asked b.example A
       client 192.0.2.11 asks b.example A edns
       client is answered b.example A rcode servfail ede 13
       upstream is not asked
at 32s client 192.0.2.11 asks b.example A edns
       upstream is asked b.example A
       sums hold

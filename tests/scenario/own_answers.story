# Answers that the policy makes without an upstream, and TTLs that the policy sets.
config own_answers.yaml

at 1s  client 192.0.2.10 asks www.nx.example A
       client is answered www.nx.example A rcode nxdomain soa ttl 300
       client 192.0.2.10 asks www.null.example A
       client is answered www.null.example A 0.0.0.0 ttl 300
       client 192.0.2.10 asks www.null.example AAAA
       client is answered www.null.example AAAA :: ttl 300
       client 192.0.2.10 asks www.null.example HTTPS
       client is answered www.null.example HTTPS soa ttl 300
       client 192.0.2.10 asks custom.example A
       client is answered custom.example A 192.0.2.99 ttl 300
       # no address of this family
       client 192.0.2.10 asks custom.example AAAA
       client is answered custom.example AAAA soa ttl 300
       client 192.0.2.10 asks nodata.example A
       client is answered nodata.example A soa ttl 300
       client 192.0.2.10 asks refused.example A
       client is answered refused.example A rcode refused
       upstream is not asked

       # without short_circuit the next rule runs
       client 192.0.2.10 asks asked.example A
       upstream is asked asked.example A
       upstream answers asked.example A 203.0.113.1 ttl 300
       client is answered asked.example A 203.0.113.1 ttl 300

at 10s client 192.0.2.10 asks fix.example A
       upstream is asked fix.example A
       upstream answers fix.example A 203.0.113.2 ttl 3600
       client is answered fix.example A 203.0.113.2 ttl 100
       # each hit has the same TTL, and the entry still expires in time
at 60s client 192.0.2.10 asks fix.example A
       client is answered fix.example A 203.0.113.2 ttl 100
at 109s client 192.0.2.10 asks fix.example A
       client is answered fix.example A 203.0.113.2 ttl 100
       upstream is not asked
at 111s client 192.0.2.10 asks fix.example A
       upstream is asked fix.example A
       upstream answers fix.example A 203.0.113.3 ttl 5
       client is answered fix.example A 203.0.113.3 ttl 100

at 200s client 192.0.2.10 asks a.range.example A
       upstream answers a.range.example A 203.0.113.4 ttl 30
       client is answered a.range.example A 203.0.113.4 ttl 60
       client 192.0.2.10 asks b.range.example A
       upstream answers b.range.example A 203.0.113.5 ttl 3600
       client is answered b.range.example A 203.0.113.5 ttl 600
       client 192.0.2.10 asks c.range.example A
       upstream answers c.range.example A nxdomain soa 30 30
       client is answered c.range.example A rcode nxdomain soa ttl 60
       client 192.0.2.10 asks d.least.example A
       upstream answers d.least.example A 203.0.113.6 ttl 86400
       client is answered d.least.example A 203.0.113.6 ttl 86400
       # 40 of 60 seconds are over: what is left is less than the least
at 240s client 192.0.2.10 asks a.range.example A
       client is answered a.range.example A 203.0.113.4 ttl 60
       upstream was asked a.range.example A
       upstream was asked b.range.example A
       upstream was asked c.range.example A
       upstream was asked d.least.example A

at 300s client 192.0.2.10 asks dropped.example A
       upstream answers dropped.example A 203.0.113.7 ttl 30
       client is answered dropped.example A 192.0.2.97 ttl 300
       sums hold

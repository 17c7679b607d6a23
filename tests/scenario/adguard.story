# AdGuard's order: important exception, important rule, exception, rule; a rule by type counts for `question` alone.
config adguard.yaml

at 1s  client 192.0.2.10 asks www.ads.example A
       client is answered www.ads.example A rcode nxdomain
       client 192.0.2.10 asks good.ads.example A
       upstream answers good.ads.example A 203.0.113.30 ttl 300
       client is answered good.ads.example A 203.0.113.30
       client 192.0.2.10 asks bad.good.ads.example A
       client is answered bad.good.ads.example A rcode nxdomain
       client 192.0.2.10 asks ok.bad.good.ads.example A
       upstream answers ok.bad.good.ads.example A 203.0.113.31 ttl 300
       client is answered ok.bad.good.ads.example A 203.0.113.31
at +1s client 192.0.2.10 asks v6.example A
       upstream answers v6.example A 203.0.113.32 ttl 300
       client is answered v6.example A 203.0.113.32
       client 192.0.2.10 asks v6.example AAAA
       client is answered v6.example AAAA rcode refused
at +1s client 192.0.2.10 asks www.wide.example A
       client is answered www.wide.example A rcode nxdomain
       client 192.0.2.10 asks a.wide.example A
       upstream answers a.wide.example A 203.0.113.33 ttl 300
       client is answered a.wide.example A 203.0.113.33
       client 192.0.2.10 asks ad12.example AAAA
       client is answered ad12.example AAAA rcode nxdomain
       sums hold

# A domain_set takes a list of AdGuard with its exceptions, which count for all of its own rules.
config domain_set_adguard.yaml

at 1s  client 192.0.2.10 asks www.ads.example A
       client is answered www.ads.example A rcode nxdomain
       client 192.0.2.10 asks good.ads.example A
       upstream answers good.ads.example A 203.0.113.30 ttl 300
       client is answered good.ads.example A 203.0.113.30
       client 192.0.2.10 asks bad.good.ads.example A
       client is answered bad.good.ads.example A rcode nxdomain
       # names of `sets` stay in it
       client 192.0.2.10 asks kept.good.ads.example A
       client is answered kept.good.ads.example A rcode nxdomain
       # a rule by type counts for `question` alone
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
       client 192.0.2.10 asks gone.example A
       upstream answers gone.example A 203.0.113.34 ttl 300
       client is answered gone.example A 203.0.113.34
       # exceptions count for the other file and for `exps`, also one among names
at +1s client 192.0.2.10 asks www.names.example A
       client is answered www.names.example A rcode nxdomain
       client 192.0.2.10 asks out.names.example A
       upstream answers out.names.example A 203.0.113.35 ttl 300
       client is answered out.names.example A 203.0.113.35
       client 192.0.2.10 asks a.more.example A
       client is answered a.more.example A rcode nxdomain
       client 192.0.2.10 asks out.more.example A
       upstream answers out.more.example A 203.0.113.36 ttl 300
       client is answered out.more.example A 203.0.113.36
       client 192.0.2.10 asks exps.example A
       client is answered exps.example A rcode nxdomain
       client 192.0.2.10 asks www.exps.example A
       upstream answers www.exps.example A 203.0.113.37 ttl 300
       client is answered www.exps.example A 203.0.113.37
       # names that point to others pass the set on, unless an exception takes them out
at 10s client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A cname edge.far.example 203.0.113.38 ttl 300
       client is answered www.stream.example A 203.0.113.38
       client 192.0.2.10 asks edge.far.example TXT
       client is answered edge.far.example TXT rcode nxdomain
       client 192.0.2.10 asks edge.far.example AAAA
       client is answered edge.far.example AAAA rcode refused
at +1s client 192.0.2.10 asks a.cdn.stream.example A
       upstream answers a.cdn.stream.example A cname other.far.example 203.0.113.39 ttl 300
       client is answered a.cdn.stream.example A 203.0.113.39
       client 192.0.2.10 asks other.far.example AAAA
       upstream answers other.far.example AAAA 2001:db8::1 ttl 300
       client is answered other.far.example AAAA 2001:db8::1
       stat names_inherited is 1
       sums hold

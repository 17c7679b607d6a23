# Names that the configuration knows are answered without an upstream; other names are forwarded as before.
config known_names.yaml

       # no prefix means the name itself; the last of two entries counts
at 1s  client 192.0.2.66 asks box.example A
       client is answered box.example A 192.0.2.3 ttl 10
       # no address of this family
       client 192.0.2.66 asks box.example AAAA
       client is answered box.example AAAA soa ttl 10
       # another type passes
       client 192.0.2.66 asks box.example TXT
       upstream is asked box.example TXT
       upstream answers box.example TXT empty
       client is answered box.example TXT
       client 192.0.2.66 asks below.box.example A
       upstream is asked below.box.example A
       upstream answers below.box.example A nxdomain
       client is answered below.box.example A rcode nxdomain

       # the longest domain, and the full name before it
at 2s  client 192.0.2.66 asks a.lan.example A
       client is answered a.lan.example A 192.0.2.4 ttl 10
       client 192.0.2.66 asks printer.deep.lan.example A
       client is answered printer.deep.lan.example A 192.0.2.5 ttl 10
       client 192.0.2.66 asks www.deep.lan.example AAAA
       client is answered www.deep.lan.example AAAA 2001:db8::6 ttl 10
       # patterns after names, regexps first
       client 192.0.2.66 asks tv1.printer.example A
       client is answered tv1.printer.example A 192.0.2.8 ttl 10
       client 192.0.2.66 asks myprinter.example A
       client is answered myprinter.example A 192.0.2.7 ttl 10
       client 192.0.2.66 asks filed.example A
       client is answered filed.example A 192.0.2.20 ttl 10
       # without short_circuit the next rules see the answer
       client 192.0.2.66 asks both.example A
       client is answered both.example A 192.0.2.10 ttl 10
       upstream is not asked

       # exact name, type and class
at 3s  client 192.0.2.66 asks txt.example A
       client is answered txt.example A 192.0.2.11 ttl 60
       client 192.0.2.66 asks alias.example CNAME
       client is answered alias.example CNAME ttl 3600
       client 192.0.2.66 asks zone.example A
       client is answered zone.example A 192.0.2.30 192.0.2.31 ttl 120
       client 192.0.2.66 asks www.zone.example AAAA
       client is answered www.zone.example AAAA 2001:db8::30 ttl 60
       upstream is not asked
       client 192.0.2.66 asks txt.example AAAA
       upstream is asked txt.example AAAA
       upstream answers txt.example AAAA 2001:db8::31 ttl 300
       client is answered txt.example AAAA 2001:db8::31 ttl 300
       client 192.0.2.66 asks alias.example A
       upstream is asked alias.example A
       upstream answers alias.example A 203.0.113.1 ttl 300
       client is answered alias.example A 203.0.113.1 ttl 300

       # canary names keep clients on this server
at 4s  client 192.0.2.66 asks use-application-dns.net A
       client is answered use-application-dns.net A rcode nxdomain soa ttl 300
       client 192.0.2.66 asks mask.icloud.com AAAA
       client is answered mask.icloud.com AAAA rcode nxdomain soa ttl 300
       client 192.0.2.66 asks any.mask-h2.icloud.com HTTPS
       client is answered any.mask-h2.icloud.com HTTPS rcode nxdomain soa ttl 300
       upstream is not asked
       client 192.0.2.66 asks www.icloud.com A
       upstream is asked www.icloud.com A
       sums hold

# translate_all: AAAA records of a name with A records are replaced. The cache is behind dns64: it keeps what
# upstreams answered, and each answer is translated again.
config dns64_all.yaml

at 1s  client 192.0.2.10 asks dual.example AAAA
       upstream is asked dual.example AAAA
       upstream is asked dual.example A
       # A is enough: AAAA is not waited for
       upstream answers dual.example A 203.0.113.1 ttl 300
       client is answered dual.example AAAA 64:ff9b::cb00:7101 ttl 300
       upstream answers dual.example AAAA 2001:db8::1 ttl 300
       client has no answer
at 11s client 2001:db8:1::10 asks dual.example AAAA
       client is answered dual.example AAAA 64:ff9b::cb00:7101 ttl 290
       upstream is not asked
       client 192.0.2.10 asks dual.example A
       client is answered dual.example A 203.0.113.1 ttl 290
       upstream is not asked

       # a name without A records gets its own AAAA
at 20s client 192.0.2.10 asks v6only.example AAAA
       upstream answers v6only.example AAAA 2001:db8::6 ttl 300
       client has no answer
       upstream answers v6only.example A empty soa 60 60
       client is answered v6only.example AAAA 2001:db8::6 ttl 300
       client 192.0.2.11 asks v6only.example AAAA
       client is answered v6only.example AAAA 2001:db8::6
       upstream was asked v6only.example AAAA
       upstream was asked v6only.example A
       upstream is not asked
       # the A query failed: an untranslated AAAA would bypass the NAT64
       client 192.0.2.10 asks flaky.example AAAA
       upstream answers flaky.example AAAA 2001:db8::7 ttl 300
       upstream answers flaky.example A servfail
       client is answered flaky.example AAAA rcode servfail
       # NXDOMAIN is enough
       client 192.0.2.10 asks gone.example AAAA
       upstream answers gone.example AAAA nxdomain soa 60 60
       client is answered gone.example AAAA rcode nxdomain soa
       upstream answers gone.example A nxdomain soa 60 60
       upstream was asked flaky.example AAAA
       upstream was asked flaky.example A
       upstream was asked gone.example AAAA
       upstream was asked gone.example A

       # names in `keep`: as without translate_all
at 30s client 192.0.2.10 asks www.native.example AAAA
       upstream answers www.native.example AAAA 2001:db8::9 ttl 300
       client is answered www.native.example AAAA 2001:db8::9
       client 192.0.2.10 asks v4.native.example AAAA
       upstream answers v4.native.example AAAA empty soa 60 60
       upstream answers v4.native.example A 203.0.113.4 ttl 300
       client is answered v4.native.example AAAA 64:ff9b::cb00:7104 ttl 60
       upstream was asked www.native.example AAAA
       upstream was asked www.native.example A
       upstream was asked v4.native.example AAAA
       upstream was asked v4.native.example A

       # the prefix by the address
at 40s client 2001:db8:1::10 asks nas.example AAAA
       upstream answers nas.example A 192.168.88.10 ttl 120
       client is answered nas.example AAAA 2001:db8:64::c0a8:580a ttl 120
       client 2001:db8:1::10 asks both.example AAAA
       upstream answers both.example A 10.1.2.3 203.0.113.3 ttl 120
       client is answered both.example AAAA 2001:db8:64::a01:203 64:ff9b::cb00:7103
       # ... and back
       client 2001:db8:1::10 asks a.0.8.5.8.a.0.c.0.0.0.0.0.0.0.0.0.0.0.0.4.6.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
       upstream is asked 10.88.168.192.in-addr.arpa PTR
       upstream answers 10.88.168.192.in-addr.arpa PTR nas.example ttl 300
       client is answered a.0.8.5.8.a.0.c.0.0.0.0.0.0.0.0.0.0.0.0.4.6.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR cname 10.88.168.192.in-addr.arpa nas.example
       # RFC 7050 7: each prefix
       client 192.0.2.10 asks ipv4only.arpa AAAA
       client is answered ipv4only.arpa AAAA 64:ff9b::c000:aa 64:ff9b::c000:ab 2001:db8:64::c000:aa 2001:db8:64::c000:ab

       # hints over IPv6 are replaced as addresses are
at 50s client 192.0.2.10 asks web.example HTTPS
       upstream answers web.example HTTPS 203.0.113.1 2001:db8::7 ttl 300
       client is answered web.example HTTPS 203.0.113.1+64:ff9b::cb00:7101 2001:db8::7
       sums hold

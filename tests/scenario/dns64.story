# RFC 6147 for clients over IPv6, behind a cache that clients over IPv4 use as well.
config dns64.yaml

       # 5.1.1, 5.1.6: both are asked side by side; AAAA is denied, so the A is translated
at 1s  client 2001:db8:1::10 asks v4only.example AAAA
       upstream is asked v4only.example AAAA
       upstream is asked v4only.example A
       upstream is not asked
       upstream answers v4only.example A 93.184.216.34 ttl 3600
       client has no answer
       upstream answers v4only.example AAAA empty soa 900 300
       # 5.1.7: not above the SOA of the empty answer
       client is answered v4only.example AAAA 64:ff9b::5db8:d822 ttl 300
       stat dns64_synthesized is 1
       # the cache has it unchanged
at 11s client 2001:db8:1::11 asks v4only.example AAAA
       client is answered v4only.example AAAA 64:ff9b::5db8:d822 ttl 290
       upstream is not asked
       stat dns64_synthesized is 1

       # a client over IPv4 gets the untranslated answer, from an entry of its own in the same cache
       client 192.0.2.10 asks v4only.example AAAA
       upstream is asked v4only.example AAAA
       upstream is not asked
       upstream answers v4only.example AAAA empty soa 900 300
       client is answered v4only.example AAAA rcode noerror soa
       client 192.0.2.11 asks v4only.example AAAA
       client is answered v4only.example AAAA rcode noerror soa
       upstream is not asked
       client 2001:db8:1::10 asks v4only.example AAAA
       client is answered v4only.example AAAA 64:ff9b::5db8:d822
       # for A both share one entry
       client 2001:db8:1::10 asks v4only.example A
       upstream answers v4only.example A 93.184.216.34 ttl 3600
       client is answered v4only.example A 93.184.216.34
       client 192.0.2.10 asks v4only.example A
       client is answered v4only.example A 93.184.216.34
       upstream was asked v4only.example A

       # the other order; 600 s where no SOA came with it
at 20s client 2001:db8:1::10 asks other.example AAAA
       upstream answers other.example AAAA empty
       client has no answer
       upstream answers other.example A 203.0.113.1 203.0.113.2 ttl 3600
       client is answered other.example AAAA 64:ff9b::cb00:7101 64:ff9b::cb00:7102 ttl 600
       upstream was asked other.example AAAA
       upstream was asked other.example A
       # ... and not above that of the A
       client 2001:db8:1::10 asks short.example AAAA
       upstream answers short.example AAAA empty soa 900 900
       upstream answers short.example A 203.0.113.1 ttl 20
       client is answered short.example AAAA 64:ff9b::cb00:7101 ttl 20
       upstream was asked short.example AAAA
       upstream was asked short.example A

       # 5.1.1: existing AAAA records are the answer, A is not waited for
at 30s client 2001:db8:1::10 asks dual.example AAAA
       upstream answers dual.example AAAA 2001:db8::1 ttl 300
       client is answered dual.example AAAA 2001:db8::1 ttl 300
       upstream answers dual.example A 203.0.113.9
       client has no answer
       # 5.1.4: excluded addresses are left out; if there is no other, that counts as no AAAA
       client 2001:db8:1::10 asks mixed.example AAAA
       upstream answers mixed.example AAAA 2001:db8:bad::1 2001:db8::2 ttl 300
       client is answered mixed.example AAAA 2001:db8::2
       upstream answers mixed.example A empty
       client 2001:db8:1::10 asks mapped.example AAAA
       upstream answers mapped.example AAAA ::ffff:203.0.113.5 ttl 300
       client has no answer
       upstream answers mapped.example A 203.0.113.5 ttl 300
       client is answered mapped.example AAAA 64:ff9b::cb00:7105 ttl 300
       upstream was asked dual.example AAAA
       upstream was asked dual.example A
       upstream was asked mixed.example AAAA
       upstream was asked mixed.example A
       upstream was asked mapped.example AAAA
       upstream was asked mapped.example A

       # 5.1.2: NXDOMAIN is the answer; other errors count as no AAAA
at 40s client 2001:db8:1::10 asks gone.example AAAA
       upstream answers gone.example AAAA nxdomain soa 60 60
       client is answered gone.example AAAA rcode nxdomain soa
       upstream answers gone.example A nxdomain soa 60 60
       client 2001:db8:1::10 asks broken.example AAAA
       upstream answers broken.example AAAA servfail
       client has no answer
       upstream answers broken.example A 203.0.113.7 ttl 300
       client is answered broken.example AAAA 64:ff9b::cb00:7107 ttl 300
       # 5.1.6: no AAAA, and NXDOMAIN for A: the answer to A
       client 2001:db8:1::10 asks half.example AAAA
       upstream answers half.example AAAA empty soa 60 60
       client has no answer
       upstream answers half.example A nxdomain soa 90 90
       client is answered half.example AAAA rcode nxdomain soa ttl 90
       # from the cache as well
       client 2001:db8:1::11 asks half.example AAAA
       client is answered half.example AAAA rcode nxdomain soa
       upstream was asked half.example AAAA
       upstream was asked half.example A
       # neither type exists: the answer to AAAA
       client 2001:db8:1::10 asks nothing.example AAAA
       upstream answers nothing.example AAAA empty soa 60 60
       upstream answers nothing.example A empty soa 90 90
       client is answered nothing.example AAAA rcode noerror soa ttl 60
       client 2001:db8:1::10 asks worse.example AAAA
       upstream answers worse.example AAAA servfail
       upstream answers worse.example A servfail
       client is answered worse.example AAAA rcode servfail
       # the A query failed: SERVFAIL, not "no address"
       client 2001:db8:1::10 asks unknown.example AAAA
       upstream answers unknown.example AAAA empty soa 60 60
       upstream answers unknown.example A servfail
       client is answered unknown.example AAAA rcode servfail
       upstream was asked gone.example AAAA
       upstream was asked gone.example A
       upstream was asked broken.example AAAA
       upstream was asked broken.example A
       upstream was asked nothing.example AAAA
       upstream was asked nothing.example A
       upstream was asked worse.example AAAA
       upstream was asked worse.example A
       upstream was asked unknown.example AAAA
       upstream was asked unknown.example A

       # 5.1.5: CNAME chains stay
at 50s client 2001:db8:1::10 asks www.chain.example AAAA
       upstream answers www.chain.example AAAA cname host.chain.example empty soa 900 900
       upstream answers www.chain.example A cname host.chain.example 203.0.113.8 ttl 120
       client is answered www.chain.example AAAA cname host.chain.example@120 64:ff9b::cb00:7108 ttl 120
       upstream was asked www.chain.example AAAA
       upstream was asked www.chain.example A
       # RFC 6052 3.1: the well-known prefix does not stand for private addresses
       client 2001:db8:1::10 asks nas.example AAAA
       upstream answers nas.example AAAA empty soa 60 60
       upstream answers nas.example A 192.168.88.10 ttl 120
       client is answered nas.example AAAA rcode noerror soa
       upstream was asked nas.example AAAA
       upstream was asked nas.example A
       # names that it leaves alone
       client 2001:db8:1::10 asks www.legacy.example AAAA
       upstream is asked www.legacy.example AAAA
       upstream is not asked
       upstream answers www.legacy.example AAAA empty soa 60 60
       client is answered www.legacy.example AAAA rcode noerror soa

       # 3: a client with CD and DO gets the signed answer; with DO alone a translated answer has no AD
at 60s client 2001:db8:1::10 asks signed.example AAAA do cd
       upstream is asked signed.example AAAA
       upstream is not asked
       upstream answers signed.example AAAA empty soa 60 60
       client is answered signed.example AAAA rcode noerror soa
       client 2001:db8:1::10 asks signed.example AAAA do
       upstream answers signed.example AAAA empty soa 60 60 ad
       upstream answers signed.example A 203.0.113.9 ttl 60 ad
       client is answered signed.example AAAA 64:ff9b::cb00:7109 not ad
       upstream was asked signed.example AAAA
       upstream was asked signed.example A

       # 5.3.1: a translated address has the name of its IPv4 address
at 70s client 2001:db8:1::10 asks 2.2.8.d.8.b.d.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa PTR
       upstream is asked 34.216.184.93.in-addr.arpa PTR
       upstream answers 34.216.184.93.in-addr.arpa PTR host.example ttl 300
       client is answered 2.2.8.d.8.b.d.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa PTR cname 34.216.184.93.in-addr.arpa host.example
       # other names are resolved as before
       client 2001:db8:1::10 asks 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
       upstream is asked 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
       upstream answers 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example
       client is answered 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example

       # RFC 7050, 8880: clients discover the prefix; no upstream is asked
at 80s client 2001:db8:1::10 asks ipv4only.arpa AAAA
       client is answered ipv4only.arpa AAAA 64:ff9b::c000:aa 64:ff9b::c000:ab
       client 2001:db8:1::10 asks ipv4only.arpa A
       client is answered ipv4only.arpa A 192.0.0.170 192.0.0.171
       client 2001:db8:1::10 asks ipv4only.arpa TXT
       client is answered ipv4only.arpa TXT rcode noerror soa
       client 2001:db8:1::10 asks 170.0.0.192.in-addr.arpa PTR
       client is answered 170.0.0.192.in-addr.arpa PTR ipv4only.arpa
       # clients over IPv4 get no AAAA
       client 192.0.2.10 asks ipv4only.arpa AAAA
       client is answered ipv4only.arpa AAAA rcode noerror soa
       client 192.0.2.10 asks ipv4only.arpa A
       client is answered ipv4only.arpa A 192.0.0.170 192.0.0.171
       upstream is not asked

       # HTTPS hints: an IPv4 hint gets a translated IPv6 hint; a record with an IPv6 hint keeps it
at 90s client 2001:db8:1::10 asks web.example HTTPS
       upstream is asked web.example HTTPS
       upstream answers web.example HTTPS 203.0.113.1 2001:db8::7 ttl 300
       client is answered web.example HTTPS 203.0.113.1+64:ff9b::cb00:7101 2001:db8::7 ttl 300
       client 2001:db8:1::10 asks web.example HTTPS
       client is answered web.example HTTPS 203.0.113.1+64:ff9b::cb00:7101 2001:db8::7
       upstream is not asked
       client 192.0.2.10 asks web.example HTTPS
       upstream is asked web.example HTTPS
       upstream answers web.example HTTPS 203.0.113.1 2001:db8::7 ttl 300
       client is answered web.example HTTPS 203.0.113.1 2001:db8::7

       # other types and classes are resolved as before
at 91s client 2001:db8:1::10 asks v4only.example TXT
       upstream is asked v4only.example TXT
       upstream is not asked
       upstream answers v4only.example TXT empty soa 60 60
       client is answered v4only.example TXT rcode noerror soa
       client 2001:db8:1::10 asks v4only.example AAAA class 4
       upstream is asked v4only.example AAAA
       upstream is not asked
at 95s sums hold

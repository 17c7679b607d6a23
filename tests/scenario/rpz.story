# Response policy zones: each trigger, each action, and which of several decides.
config rpz.yaml
router edge1 preset fast latency 10ms

       # NXDOMAIN and NODATA, for every type; upstreams are not asked. TTLs are those of the record
at 1s  client 192.0.2.10 asks NX.example A
       client is answered NX.example A rcode nxdomain soa ttl 90
       client 192.0.2.10 asks nx.example TXT
       client is answered nx.example TXT rcode nxdomain soa ttl 90
       client 192.0.2.10 asks nodata.example AAAA
       client is answered nodata.example AAAA soa ttl 90
       stat rpz_denied is 3
       # DROP: no answer at all
       client 192.0.2.10 asks drop.example A
       client has no answer
       stat rpz_dropped is 1
       verdict dropped_by_policy is 1
       # TCP-Only: truncated over UDP
       client 192.0.2.10 asks tcp.example A
       client is answered tcp.example A truncated
       stat rpz_truncated is 1
       # records of the owner, those of the type that is asked for; other types are empty
       client 192.0.2.10 asks data.example A
       client is answered data.example A 203.0.113.80 203.0.113.81 ttl 90
       client 192.0.2.10 asks data.example AAAA
       client is answered data.example AAAA soa ttl 30
       stat rpz_answered is 2
       upstream is not asked

       # PASSTHRU, as it is written now and as it was before: later zones are not asked
at 2s  client 192.0.2.10 asks pass.example A
       upstream is asked pass.example A
       upstream answers pass.example A 203.0.113.1 ttl 300
       client is answered pass.example A 203.0.113.1 ttl 300
       client 192.0.2.10 asks oldpass.example A
       upstream is asked oldpass.example A
       upstream answers oldpass.example A 203.0.113.2 ttl 300
       client is answered oldpass.example A 203.0.113.2 ttl 300
       stat rpz_passed is 2

       # another name is asked for
       client 192.0.2.10 asks Alias.example A
       upstream is asked walled.garden.example A
       upstream answers walled.garden.example A 203.0.113.3 ttl 300
       client is answered Alias.example A cname walled.garden.example@60 203.0.113.3
       client 192.0.2.10 asks alias.example CNAME
       client is answered alias.example CNAME cname walled.garden.example@60
       # ... the target comes from the cache now; and a failure stays one
       client 192.0.2.10 asks alias.example A
       client is answered alias.example A cname walled.garden.example@60 203.0.113.3
       client 192.0.2.10 asks alias.example AAAA
       upstream is asked walled.garden.example AAAA
       upstream answers walled.garden.example AAAA nxdomain soa 60 60
       client is answered alias.example AAAA cname walled.garden.example@60 rcode nxdomain soa
       # a wildcard target: the name goes in front of it
       client 192.0.2.10 asks a.logged.example A
       upstream is asked a.logged.example.log.example A
       upstream answers a.logged.example.log.example A 203.0.113.4 ttl 300
       client is answered a.logged.example A cname a.logged.example.log.example@90 203.0.113.4
       upstream is not asked

       # wildcards: what is below; not the name itself
at 3s  client 192.0.2.10 asks a.wild.example A
       client is answered a.wild.example A rcode nxdomain soa
       client 192.0.2.10 asks b.a.wild.example A
       client is answered b.a.wild.example A rcode nxdomain soa
       client 192.0.2.10 asks x.deep.wild.example A
       client is answered x.deep.wild.example A soa
       client 192.0.2.10 asks deep.wild.example A
       client is answered deep.wild.example A rcode nxdomain soa
       client 192.0.2.10 asks any.data.example A
       client is answered any.data.example A 203.0.113.82
       client 192.0.2.10 asks below.good.wild.example A
       client is answered below.good.wild.example A rcode nxdomain soa
       client 192.0.2.10 asks both.example A
       client is answered both.example A rcode nxdomain soa
       client 192.0.2.10 asks x.both.example A
       client is answered x.both.example A rcode nxdomain soa
       upstream is not asked
       client 192.0.2.10 asks wild.example A
       upstream is asked wild.example A
       upstream answers wild.example A 203.0.113.5
       client is answered wild.example A 203.0.113.5
       client 192.0.2.10 asks good.wild.example A
       upstream is asked good.wild.example A
       upstream answers good.wild.example A 203.0.113.6
       client is answered good.wild.example A 203.0.113.6

       # the client decides before the name of the same zone
at 4s  client 192.0.2.66 asks nx.example A
       upstream is asked nx.example A
       upstream answers nx.example A 203.0.113.7
       client is answered nx.example A 203.0.113.7
       client 192.0.2.67 asks data.example A
       client is answered data.example A rcode nxdomain soa
       client 2001:db8::67 asks fine.example AAAA
       client is answered fine.example AAAA soa
       client 192.0.2.10 asks nx.example A
       client is answered nx.example A rcode nxdomain soa

       # addresses of the answer: the longest prefix
at 5s  client 192.0.2.10 asks r1.example A
       upstream is asked r1.example A
       upstream answers r1.example A 203.0.113.9 198.51.100.1 ttl 300
       client is answered r1.example A rcode nxdomain soa ttl 90
       client 192.0.2.10 asks r7.example A
       upstream is asked r7.example A
       upstream answers r7.example A 198.51.100.7 198.51.100.1 ttl 300
       client is answered r7.example A 198.51.100.7 198.51.100.1
       client 192.0.2.10 asks r9.example A
       upstream is asked r9.example A
       upstream answers r9.example A 198.51.100.9 ttl 300
       client is answered r9.example A 203.0.113.90 ttl 90
       client 192.0.2.10 asks r6.example AAAA
       upstream is asked r6.example AAAA
       upstream answers r6.example AAAA 2001:db8:bad::1 ttl 300
       client is answered r6.example AAAA soa ttl 90
       client 192.0.2.10 asks r10.example A
       upstream is asked r10.example A
       upstream answers r10.example A 198.51.100.10
       client has no answer
       client 192.0.2.10 asks r11.example A
       upstream is asked r11.example A
       upstream answers r11.example A 198.51.100.11
       client is answered r11.example A truncated
       # hints are addresses that clients come to
       client 192.0.2.10 asks r1.example HTTPS
       upstream is asked r1.example HTTPS
       upstream answers r1.example HTTPS 198.51.100.1
       client is answered r1.example HTTPS rcode nxdomain soa
       # another name for an answer that is known already
       client 192.0.2.10 asks r8.example A
       upstream is asked r8.example A
       upstream answers r8.example A 198.51.100.8 ttl 300
       client is answered r8.example A cname walled.garden.example@90 203.0.113.3
       upstream is not asked

       # cached answers are looked at as well, for each client
at 6s  client 192.0.2.10 asks r1.example A
       client is answered r1.example A rcode nxdomain soa
       client 192.0.2.11 asks r8.example A
       client is answered r8.example A cname walled.garden.example@90 203.0.113.3
       client 192.0.2.66 asks r1.example A
       client is answered r1.example A 203.0.113.9 198.51.100.1
       client 192.0.2.10 asks r10.example A
       client has no answer
       upstream is not asked

       # the order of zones counts before the kind of the trigger: the second one's names wait for the first one's addresses
at 7s  client 192.0.2.10 asks late.example A
       upstream is asked late.example A
       upstream answers late.example A 198.51.100.1
       client is answered late.example A rcode nxdomain soa ttl 90
       client 192.0.2.10 asks late.example AAAA
       upstream is asked late.example AAAA
       upstream answers late.example AAAA 2001:db8:900d::1
       client is answered late.example AAAA soa ttl 300
       client 192.0.2.10 asks later.example A
       upstream is asked later.example A
       upstream answers later.example A servfail
       upstream is asked elsewhere.example A
       upstream answers elsewhere.example A 203.0.113.11
       client is answered later.example A cname elsewhere.example@300 203.0.113.11
       client 192.0.2.10 asks second.example A
       upstream is asked second.example A
       upstream answers second.example A 198.51.200.1
       client is answered second.example A rcode nxdomain soa ttl 300

       # names that the answer's CNAMEs point to; the first of the chain decides, before any address
at 8s  client 192.0.2.10 asks c1.example A
       upstream is asked c1.example A
       upstream answers c1.example A cname cloaked.example 203.0.113.12
       client is answered c1.example A rcode nxdomain soa ttl 300
       client 192.0.2.10 asks c2.example A
       upstream is asked c2.example A
       upstream answers c2.example A cname x.deep.wild.example cname cloaked.example 198.51.100.1
       client is answered c2.example A soa ttl 90
       client 192.0.2.10 asks c3.example A
       upstream is asked c3.example A
       upstream answers c3.example A cname cloaked.example 198.51.100.1
       client is answered c3.example A rcode nxdomain soa ttl 90
       client 192.0.2.10 asks c4.example A
       upstream is asked c4.example A
       upstream answers c4.example A cname harmless.example 203.0.113.13
       client is answered c4.example A cname harmless.example 203.0.113.13

       # what a zone answers is what lists get
at 9s  client 192.0.2.10 asks data.example A
       client is answered data.example A 203.0.113.80 203.0.113.81
at +60ms router edge1 has row vpn_v4 203.0.113.80
       router edge1 has no row vpn_v4 198.51.100.9
       router edge1 has no row vpn_v4 198.51.100.8
       router edge1 has row vpn_v4 203.0.113.3
       sums hold

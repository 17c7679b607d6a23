# /ip/dns/static: what the records answer, which server is asked for the rest, and that an existing name is never NXDOMAIN.
config static.yaml
router edge1 preset fast latency 10ms

       # all records of a name and type; 1d is RouterOS's default
at 1s  client 192.0.2.10 asks nas.lan A
       client is answered nas.lan A 192.168.88.10 192.168.88.11 ttl 86400
       client 192.0.2.10 asks printer.lan A
       client is answered printer.lan A 192.168.88.20 ttl 300
       client 192.0.2.10 asks printer.lan AAAA
       client is answered printer.lan AAAA fd00::20 ttl 300
       # a dummy address blocks a name
       client 192.0.2.10 asks six.lan AAAA
       client is answered six.lan AAAA ::ffff
       # the name of an address; an entry that was written (the FWD of the reverse zone) comes before
       client 192.0.2.10 asks 0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR
       client is answered 0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR printer.lan
       upstream is not asked
       client 192.0.2.10 asks 10.88.168.192.in-addr.arpa PTR
       upstream 198.51.100.54 is asked 10.88.168.192.in-addr.arpa PTR
       upstream answers 10.88.168.192.in-addr.arpa PTR nas.corp.example
       client is answered 10.88.168.192.in-addr.arpa PTR nas.corp.example
       stat static_answers is 5

       # a name with only an A record: other types are asked upstream, and NXDOMAIN becomes empty
at 10s client 192.0.2.10 asks nas.lan AAAA
       upstream 198.51.100.53 is asked nas.lan AAAA
       upstream answers nas.lan AAAA nxdomain soa 60 60
       client is answered nas.lan AAAA rcode noerror soa ttl 60
       client 192.0.2.10 asks nas.lan TXT
       upstream answers nas.lan TXT empty soa 30 30
       client is answered nas.lan TXT rcode noerror soa ttl 30
       client 192.0.2.10 asks mail.lan A
       upstream answers mail.lan A 203.0.113.7 ttl 300
       client is answered mail.lan A 203.0.113.7
       client 192.0.2.10 asks mail.lan AAAA
       upstream answers mail.lan AAAA servfail
       client is answered mail.lan AAAA rcode servfail
       upstream was asked nas.lan TXT
       upstream was asked mail.lan A
       upstream was asked mail.lan AAAA

       # aliases are followed: to other records, through other aliases, to where upstreams know more
at 20s client 192.0.2.10 asks www.lan A
       client is answered www.lan A cname nas.lan@120 192.168.88.10 192.168.88.11
       client 192.0.2.10 asks blog.lan A
       client is answered blog.lan A cname nas.lan@86400 192.168.88.10 192.168.88.11
       client 192.0.2.10 asks www.lan CNAME
       client is answered www.lan CNAME cname nas.lan@120
       upstream is not asked
       client 192.0.2.10 asks out.lan A
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered out.lan A cname www.example@86400 203.0.113.1
       client 192.0.2.10 asks void.lan A
       upstream is asked void.example A
       upstream answers void.example A nxdomain soa 60 60
       client is answered void.lan A cname void.example rcode nxdomain
       # the alias exists for a type that its target has not here
       client 192.0.2.10 asks www.lan AAAA
       client is answered www.lan AAAA cname nas.lan rcode noerror
       upstream is not asked

       # the first entry that matches decides
at 30s client 192.0.2.10 asks x.bad.example A
       client is answered x.bad.example A rcode nxdomain soa
       client 192.0.2.10 asks good.bad.example A
       client is answered good.bad.example A rcode nxdomain soa
       client 192.0.2.10 asks ad12.tracker.example A
       client is answered ad12.tracker.example A 10.0.0.2
       client 192.0.2.10 asks any.where.wild.lan A
       client is answered any.where.wild.lan A 192.168.88.40
       # disabled: as if it were not there
       client 192.0.2.10 asks off.lan A
       upstream is asked off.lan A
       upstream answers off.lan A nxdomain soa 60 60
       client is answered off.lan A rcode nxdomain soa

       # FWD: response codes stay as they are (RouterOS makes NXDOMAIN an empty NOERROR)
at 40s client 192.0.2.10 asks www.corp.example A
       upstream 198.51.100.54 is asked www.corp.example A
       upstream answers www.corp.example A 203.0.113.20 ttl 300
       client is answered www.corp.example A 203.0.113.20 ttl 300
       client 192.0.2.10 asks nowhere.corp.example A
       upstream 198.51.100.54 is asked nowhere.corp.example A
       upstream answers nowhere.corp.example A nxdomain soa 60 60
       client is answered nowhere.corp.example A rcode nxdomain soa
       client 192.0.2.10 asks broken.corp.example A
       upstream 198.51.100.54 is asked broken.corp.example A
       upstream answers broken.corp.example A refused
       client is answered broken.corp.example A rcode refused
       # ... and its addresses are in the list for TTL and address-list-extra-time
at +60ms router edge1 has row vpn_v4 203.0.113.20 timeout 595..601
       # without a forwarder the others are asked, and the list is kept as well
       client 192.0.2.10 asks a.media.example A
       upstream 198.51.100.53 is asked a.media.example A
       upstream answers a.media.example A 203.0.113.21 ttl 300
       client is answered a.media.example A 203.0.113.21
       client 192.0.2.10 asks a.wild.lan A
       client is answered a.wild.lan A 192.168.88.40
at +60ms router edge1 has row vpn_v4 203.0.113.21
       router edge1 has row vpn_v4 192.168.88.40

       # names under .local are known here, asked where an entry says so, and nowhere else (RFC 6762 22.1)
at 50s client 192.0.2.10 asks srv.local A
       client is answered srv.local A 192.168.88.60
       client 192.0.2.10 asks dc.local A
       upstream 198.51.100.54 is asked dc.local A
       upstream answers dc.local A 203.0.113.70
       client is answered dc.local A 203.0.113.70
       client 192.0.2.10 asks tv.local A
       client is answered tv.local A rcode nxdomain soa
       client 192.0.2.10 asks srv.local AAAA
       client is answered srv.local AAAA rcode noerror soa
       upstream is not asked
       stat local_denied is 2
       # in another class these names have no records
       client 192.0.2.10 asks nas.lan A class 4
       upstream is asked nas.lan A
at 55s sums hold

# What tests/import/names.unbound becomes answers as unbound would.
config ../import/names.unbound.yaml

at 1s  client 192.0.2.10 asks www.plain.example A
       client is answered www.plain.example A 198.51.100.1 198.51.100.2 ttl 60
       client 192.0.2.10 asks www.plain.example AAAA
       client is answered www.plain.example AAAA 2001:db8::1 ttl 60
       client 192.0.2.10 asks www.plain.example TXT
       client is answered www.plain.example TXT rcode noerror
       client 192.0.2.10 asks alias.plain.example A
       client is answered alias.plain.example A 198.51.100.1 198.51.100.2 ttl 60
       client 192.0.2.10 asks plain.example MX
       client is answered plain.example MX www.plain.example ttl 60
       client 192.0.2.10 asks plain.example A
       client is answered plain.example A rcode noerror
       client 192.0.2.10 asks 1.100.51.198.in-addr.arpa PTR
       client is answered 1.100.51.198.in-addr.arpa PTR www.plain.example ttl 60
       upstream is not asked

       # zones
at 2s  client 192.0.2.10 asks a.b.static.example A
       client is answered a.b.static.example A 198.51.100.4 ttl 60
       client 192.0.2.10 asks a.b.static.example AAAA
       client is answered a.b.static.example AAAA rcode noerror
       client 192.0.2.10 asks b.static.example A
       client is answered b.static.example A rcode noerror
       client 192.0.2.10 asks c.static.example A
       client is answered c.static.example A rcode nxdomain
       client 192.0.2.10 asks www.refuse.example A
       client is answered www.refuse.example A 198.51.100.6 ttl 60
       client 192.0.2.10 asks x.refuse.example A
       client is answered x.refuse.example A rcode refused
       client 192.0.2.10 asks www.refuse.example TXT
       client is answered www.refuse.example TXT rcode refused
       client 192.0.2.10 asks x.deny.example A
       client has no answer
       client 192.0.2.10 asks x.redirect.example A
       client is answered x.redirect.example A 198.51.100.7 ttl 60
       client 192.0.2.10 asks x.redirect.example AAAA
       client is answered x.redirect.example AAAA rcode noerror
       client 192.0.2.10 asks x.gone.example A
       client is answered x.gone.example A rcode nxdomain
       client 192.0.2.10 asks x.empty.example A
       client is answered x.empty.example A rcode noerror
       client 192.0.2.10 asks x.null.example A
       client is answered x.null.example A 0.0.0.0
       client 192.0.2.10 asks x.never.example A
       client is answered x.never.example A rcode refused
       upstream is not asked

       # clients
at 3s  client 192.0.2.65 asks www.plain.example A
       client is answered www.plain.example A rcode refused
       client 192.0.2.66 asks www.plain.example A
       client is answered www.plain.example A 198.51.100.1 198.51.100.2
       client 192.0.2.200 asks www.plain.example A
       client has no answer
       client 203.0.113.9 asks www.plain.example A
       client is answered www.plain.example A rcode refused

       # names that go on
at 4s  client 192.0.2.10 asks other.plain.example A
       upstream is asked other.plain.example A
       upstream answers other.plain.example A 203.0.113.1 ttl 300
       client is answered other.plain.example A 203.0.113.1
       client 192.0.2.10 asks www.typed.example TXT
       upstream is asked www.typed.example TXT
       upstream answers www.typed.example TXT empty soa 60 60
       client is answered www.typed.example TXT rcode noerror
       client 192.0.2.10 asks hidden.open.static.example A
       upstream is asked hidden.open.static.example A
       upstream answers hidden.open.static.example A 203.0.113.2 ttl 300
       client is answered hidden.open.static.example A 203.0.113.2
       client 192.0.2.10 asks bad.address.example A
       upstream is asked bad.address.example A
       upstream answers bad.address.example A 203.0.113.65 ttl 300
       client is answered bad.address.example A rcode nxdomain
       sums hold

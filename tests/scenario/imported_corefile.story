# What tests/import/local.corefile becomes answers as CoreDNS would.
config ../import/local.corefile.yaml

at 1s  client 192.0.2.10 asks nas.lan A
       client is answered nas.lan A 192.0.2.7 ttl 60
       client 192.0.2.10 asks nas.lan AAAA
       client is answered nas.lan AAAA 2001:db8::7 ttl 60
       client 192.0.2.10 asks media.lan AAAA
       client is answered media.lan AAAA rcode noerror
       client 192.0.2.10 asks media.lan TXT
       client is answered media.lan TXT rcode noerror
       client 192.0.2.10 asks x.dev.lan A
       client is answered x.dev.lan A 192.0.2.8 ttl 60
       client 192.0.2.10 asks y.x.dev.lan A
       client is answered y.x.dev.lan A rcode servfail
       client 192.0.2.10 asks none.lan A
       client is answered none.lan A rcode servfail
       client 192.0.2.10 asks 7.2.0.192.in-addr.arpa PTR
       client is answered 7.2.0.192.in-addr.arpa PTR nas.lan media.lan ttl 60

       # acl: by zone first, then for all
at 2s  client 203.0.113.9 asks nas.lan A
       client is answered nas.lan A rcode refused
       client 192.0.2.66 asks www.example.net TXT
       client is answered www.example.net TXT rcode noerror
       client 198.51.100.9 asks www.example.net A
       client has no answer

       # templates
at 3s  client 192.0.2.10 asks www.dev.example A
       client is answered www.dev.example A 192.0.2.18 ttl 60
       client 192.0.2.10 asks ftp.dev.example A
       client is answered ftp.dev.example A rcode servfail
       client 192.0.2.10 asks mail.example MX
       client is answered mail.example MX mx.mail.example ttl 120
       client 192.0.2.10 asks a.mail.example MX
       client is answered a.mail.example MX rcode noerror
       client 192.0.2.10 asks any.example.net HTTPS
       client is answered any.example.net HTTPS rcode noerror
       client 192.0.2.10 asks x.invalid A
       client is answered x.invalid A rcode nxdomain

       # chaos
at 4s  client 192.0.2.10 asks version.bind TXT class 3
       client is answered version.bind TXT CoreDNS-1.12 ttl 0
       client 192.0.2.10 asks authors.bind TXT class 3
       client is answered authors.bind TXT admin@example.org ttl 0
       upstream is not asked

       # names that go on
at 5s  client 192.0.2.10 asks printer.guest.lan A
       upstream is asked printer.guest.lan A
       upstream answers printer.guest.lan A 203.0.113.1 ttl 300
       client is answered printer.guest.lan A 203.0.113.1
       client 203.0.113.9 asks www.example.net A
       upstream is asked www.example.net A
       upstream answers www.example.net A 203.0.113.2 ttl 300
       client is answered www.example.net A 203.0.113.2

       # a block of its own
at 6s  client 192.0.2.10 asks www.corp.example A
       client is answered www.corp.example A 192.0.2.19 ttl 60
       client 192.0.2.10 asks www.corp.example TXT
       client is answered www.corp.example TXT rcode servfail
       sums hold

# Types, classes and response codes, in all spellings.
config numbers.yaml
upstream serves integers.example A 203.0.113.1 ttl 60
upstream serves words.example A 203.0.113.1 ttl 60
upstream serves text.example A 203.0.113.1 ttl 60
upstream serves number.example AAAA 2001:db8::1 ttl 60
upstream serves in-place.example A 203.0.113.1 ttl 60
upstream serves unknown.example A 203.0.113.1 ttl 60
upstream serves gone.example A nxdomain soa 60 60
upstream serves closed.example A refused
upstream serves broken.example A servfail
upstream serves fine.example A 203.0.113.1 ttl 60

at 1s  client 192.0.2.10 asks integers.example TXT
at +1ms client is answered integers.example TXT rcode nxdomain
       client 192.0.2.10 asks integers.example AAAA
at +1ms client is answered integers.example AAAA rcode nxdomain
       client 192.0.2.10 asks words.example TXT
at +1ms client is answered words.example TXT rcode nxdomain
       client 192.0.2.10 asks words.example AAAA
at +1ms client is answered words.example AAAA rcode nxdomain
       client 192.0.2.10 asks words.example HTTPS
at +1ms client is answered words.example HTTPS rcode nxdomain
       client 192.0.2.10 asks words.example PTR
at +1ms client is answered words.example PTR rcode nxdomain
       client 192.0.2.10 asks text.example TXT
at +1ms client is answered text.example TXT rcode nxdomain
       client 192.0.2.10 asks text.example AAAA
at +1ms client is answered text.example AAAA rcode nxdomain
       client 192.0.2.10 asks number.example TXT
at +1ms client is answered number.example TXT rcode nxdomain
       client 192.0.2.10 asks in-place.example TXT
at +1ms client is answered in-place.example TXT rcode nxdomain
       client 192.0.2.10 asks in-place.example HTTPS
at +1ms client is answered in-place.example HTTPS rcode nxdomain
       client 192.0.2.10 asks unknown.example TXT
at +1ms client is answered unknown.example TXT rcode nxdomain
       upstream is not asked

at 2s  client 192.0.2.10 asks integers.example A
at +1ms client is answered integers.example A 203.0.113.1
       client 192.0.2.10 asks words.example A
at +1ms client is answered words.example A 203.0.113.1
       client 192.0.2.10 asks text.example A
at +1ms client is answered text.example A 203.0.113.1
       client 192.0.2.10 asks number.example AAAA
at +1ms client is answered number.example AAAA 2001:db8::1
       client 192.0.2.10 asks in-place.example A
at +1ms client is answered in-place.example A 203.0.113.1
       client 192.0.2.10 asks unknown.example A
at +1ms client is answered unknown.example A 203.0.113.1

at 3s  client 192.0.2.10 asks class.example A class 3
at +1ms client is answered class.example A rcode nxdomain
       client 192.0.2.10 asks class.example A class 4
at +1ms client is answered class.example A rcode nxdomain
       client 192.0.2.10 asks class2.example A class 3
at +1ms client is answered class2.example A rcode servfail
       client 192.0.2.10 asks class2.example A class 4
at +1ms client is answered class2.example A rcode servfail
       client 192.0.2.10 asks class.example A
at +1ms client is answered class.example A rcode refused
       client 192.0.2.10 asks none.example A
at +1ms client is answered none.example A rcode yxdomain

at 4s  client 192.0.2.10 asks gone.example A
at +1ms client is answered gone.example A 192.0.2.97
       client 192.0.2.10 asks closed.example A
at +1ms client is answered closed.example A 192.0.2.97
       client 192.0.2.10 asks broken.example A
at +1ms client is answered broken.example A 192.0.2.98
       client 192.0.2.10 asks fine.example A
at +1ms client is answered fine.example A 203.0.113.1
       sums hold

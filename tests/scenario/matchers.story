# Matchers of addresses and of responses; sets of addresses, in files with notes.
config matchers.yaml
upstream serves far.example A 198.51.100.70 203.0.113.9 ttl 60
upstream serves other.example A 203.0.113.9 ttl 60
upstream serves alias.example A cname cdn.tracker.example 203.0.113.9 ttl 60
upstream serves wanted.example A 203.0.113.9 ttl 60
upstream serves wanted.example AAAA empty soa 60 60
upstream serves 9.2.0.192.in-addr.arpa.example A 203.0.113.9 ttl 60
upstream serves 200.2.0.192.in-addr.arpa PTR nxdomain soa 60 60

at 1s  client 192.0.2.10 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 192.0.2.16 asks client.example A
at +1ms client is answered client.example A rcode refused
       client 2001:db8:1::5 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 2001:db8:2::5 asks client.example A
at +1ms client is answered client.example A rcode refused
       # of the set in the set, and of the file
       client 203.0.113.7 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 198.51.100.7 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 198.51.100.127 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 198.51.100.9 asks client.example A
at +1ms client is answered client.example A 192.0.2.101
       client 198.51.100.8 asks client.example A
at +1ms client is answered client.example A rcode refused
       client 192.0.2.200 asks client.example A
at +1ms client is answered client.example A 192.0.2.102
       client 198.19.255.255 asks client.example A
at +1ms client is answered client.example A 192.0.2.102

at 2s  client 192.0.2.10 asks 9.2.0.192.in-addr.arpa PTR
at +1ms client is answered 9.2.0.192.in-addr.arpa PTR rcode nxdomain
       upstream is not asked
       client 192.0.2.10 asks 200.2.0.192.in-addr.arpa PTR
       upstream is asked 200.2.0.192.in-addr.arpa PTR
at +1ms client is answered 200.2.0.192.in-addr.arpa PTR rcode nxdomain
       client 192.0.2.10 asks 9.2.0.192.in-addr.arpa.example A
at +1ms client is answered 9.2.0.192.in-addr.arpa.example A 203.0.113.9
       upstream was asked 9.2.0.192.in-addr.arpa.example A

at 3s  client 192.0.2.10 asks any.example A
at +1ms client is answered any.example A rcode notimp
       client 192.0.2.200 asks any.example A
at +1ms client is answered any.example A 192.0.2.103
       client 192.0.2.10 asks any.example TXT
at +1ms client is answered any.example TXT soa
       client 192.0.2.10 asks chance.example A
at +1ms client is answered chance.example A rcode yxdomain
       upstream is not asked

at 4s  client 192.0.2.10 asks far.example A
at +1ms client is answered far.example A 192.0.2.104
       client 192.0.2.10 asks other.example A
at +1ms client is answered other.example A 203.0.113.9
       client 192.0.2.10 asks alias.example A
at +1ms client is answered alias.example A 192.0.2.105
       client 192.0.2.10 asks wanted.example A
at +1ms client is answered wanted.example A 203.0.113.9
       client 192.0.2.10 asks wanted.example AAAA
at +1ms client is answered wanted.example AAAA soa ttl 300
       sums hold

# missing_family: nodata, prefer_ipv4 and prefer_ipv6 take the other family's hints out of HTTPS answers, cached ones too.
config hints_of_one_family.yaml
router edge1 preset fast latency 2ms

       # a list without address_list6
at 1s  client 192.0.2.10 asks www.stream.example HTTPS
       upstream answers www.stream.example HTTPS 203.0.113.7 2001:db8::7 ttl 300
       client is answered www.stream.example HTTPS 203.0.113.7 - ttl 300
at +20ms router edge1 has row only_v4 203.0.113.7
       client 192.0.2.11 asks www.stream.example HTTPS
       client is answered www.stream.example HTTPS 203.0.113.7 - ttl 299..300
       client 192.0.2.11 asks www.stream.example AAAA
       upstream answers www.stream.example AAAA 2001:db8::7 ttl 300
       client is answered www.stream.example AAAA rcode noerror

       # a dns64 whose prefix is held as IPv4: its hints stay, others leave
at +1s client 192.0.2.10 asks nat.stream.example HTTPS
       upstream answers nat.stream.example HTTPS 203.0.113.20 2001:db8:64::cb00:7114 ttl 300
       client is answered nat.stream.example HTTPS 203.0.113.20 2001:db8:64::cb00:7114 ttl 300
at +20ms router edge1 has row only_v4 203.0.113.20

       # chosen by client, behind a cache for all: the others keep both
at 3s  client 192.0.2.11 asks www.guest.example HTTPS
       upstream answers www.guest.example HTTPS 203.0.113.8 2001:db8::8 ttl 300
       client is answered www.guest.example HTTPS 203.0.113.8 2001:db8::8 ttl 300
       client 192.0.2.10 asks www.guest.example HTTPS
       client is answered www.guest.example HTTPS 203.0.113.8 - ttl 300
       client 192.0.2.11 asks www.guest.example HTTPS
       client is answered www.guest.example HTTPS 203.0.113.8 2001:db8::8 ttl 300

       # prefer_ipv4 and prefer_ipv6
at 4s  client 192.0.2.10 asks www.four.example HTTPS
       upstream answers www.four.example HTTPS 203.0.113.9 2001:db8::9 ttl 300
       client is answered www.four.example HTTPS 203.0.113.9 - ttl 300
       client 192.0.2.10 asks www.four.example HTTPS
       client is answered www.four.example HTTPS 203.0.113.9 - ttl 300
       client 192.0.2.10 asks www.six.example HTTPS
       upstream answers www.six.example HTTPS 203.0.113.9 2001:db8::9 ttl 300
       client is answered www.six.example HTTPS - 2001:db8::9 ttl 300
at 50s client 192.0.2.10 asks www.six.example HTTPS
       client is answered www.six.example HTTPS - 2001:db8::9 ttl 252..254
       sums hold

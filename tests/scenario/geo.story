# Lists of geosite.dat and geoip.dat.
config geo.yaml
upstream serves near.example A 192.0.2.7 ttl 60
upstream serves far.example A 10.0.0.7 ttl 60
upstream serves example A 10.0.0.7 ttl 60
upstream serves client.example A 10.0.0.7 ttl 60
upstream serves www.geo.example A 10.0.0.7 ttl 60

at 1s  client 192.0.2.10 asks www.cn.example A
at +1ms client is answered www.cn.example A rcode yxdomain
       client 192.0.2.10 asks swordfish.net A
at +1ms client is answered swordfish.net A rcode yxdomain
       # the attribute alone, of the whole name alone
       client 192.0.2.10 asks ads.cn.example A
at +1ms client is answered ads.cn.example A rcode nxdomain
       client 192.0.2.10 asks www.ads.cn.example A
at +1ms client is answered www.ads.cn.example A rcode yxdomain
       client 192.0.2.10 asks www.other.example A
at +1ms client is answered www.other.example A rcode nxdomain
       client 192.0.2.10 asks mine.example A
at +1ms client is answered mine.example A rcode nxdomain
       # of a list that no selector takes
       client 192.0.2.10 asks www.geo.example A
at +1ms client is answered www.geo.example A 10.0.0.7
       client 192.0.2.10 asks client.example A
at +1ms client is answered client.example A rcode nxdomain
       client 2001:db8:ffff::1 asks client.example A
at +1ms client is answered client.example A rcode nxdomain
       client 10.1.2.3 asks client.example A
at +1ms client is answered client.example A rcode yxdomain
       client 203.0.113.1 asks client.example A
at +1ms client is answered client.example A 10.0.0.7
       client 192.0.2.10 asks near.example A
at +1ms client is answered near.example A 203.0.113.99
       client 192.0.2.10 asks far.example A
at +1ms client is answered far.example A 10.0.0.7
       sums hold

# Names of ad lists get unusable addresses; other names are resolved as before.
config adlist.yaml

at 1s  client 192.0.2.10 asks ads.example A
       client is answered ads.example A 0.0.0.0
       client 192.0.2.10 asks ads.example AAAA
       client is answered ads.example AAAA ::
       client 192.0.2.10 asks ads.example TXT
       client is answered ads.example TXT rcode noerror soa
       client 192.0.2.10 asks bare.example A
       client is answered bare.example A 0.0.0.0
       upstream is not asked
       stat ad_list_denied is 4

       # a hosts line blocks only its own name
at 2s  client 192.0.2.10 asks www.ads.example A
       upstream is asked www.ads.example A
       upstream answers www.ads.example A 203.0.113.1
       client is answered www.ads.example A 203.0.113.1
       # allowed
       client 192.0.2.10 asks tracker.example A
       upstream is asked tracker.example A
       upstream answers tracker.example A 203.0.113.2
       client is answered tracker.example A 203.0.113.2
       # AdGuard's list: the name and all names below it, except its exceptions
       client 192.0.2.10 asks a.banners.example A
       client is answered a.banners.example A 0.0.0.0
       client 192.0.2.10 asks fine.banners.example A
       upstream is asked fine.banners.example A
       upstream answers fine.banners.example A 203.0.113.3
       client is answered fine.banners.example A 203.0.113.3
       stat ad_list_denied is 5

       # AdGuard's rules by type: of that type alone, or of all others
at 3s  client 192.0.2.10 asks a.six.example AAAA
       client is answered a.six.example AAAA ::
       client 192.0.2.10 asks a.six.example A
       upstream is asked a.six.example A
       upstream answers a.six.example A 203.0.113.4
       client is answered a.six.example A 203.0.113.4
       client 192.0.2.10 asks fine.six.example AAAA
       upstream is asked fine.six.example AAAA
       upstream answers fine.six.example AAAA 2001:db8::4
       client is answered fine.six.example AAAA 2001:db8::4
       client 192.0.2.10 asks notfour.example AAAA
       client is answered notfour.example AAAA ::
       client 192.0.2.10 asks notfour.example A
       upstream is asked notfour.example A
       upstream answers notfour.example A 203.0.113.5
       client is answered notfour.example A 203.0.113.5
       stat ad_list_denied is 7

       # another answer for others
       client 192.0.2.66 asks ads.example A
       client is answered ads.example A rcode nxdomain soa
       sums hold

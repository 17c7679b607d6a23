# The lists of an adlist are one policy, as in AdGuard Home.
config adlist_policy.yaml

at 1s  client 192.0.2.10 asks a.banners.example A
       client is answered a.banners.example A 0.0.0.0
       # AdGuard's list has a hosts line, and the hosts list a rule of AdGuard
       client 192.0.2.10 asks mixed.example A
       client is answered mixed.example A 0.0.0.0
       client 192.0.2.10 asks a.wide.example A
       client is answered a.wide.example A 0.0.0.0
       client 192.0.2.10 asks tracker.example A
       client is answered tracker.example A 0.0.0.0
       # important rules are stronger than exceptions ...
       client 192.0.2.10 asks hard.example A
       client is answered hard.example A 0.0.0.0
       client 192.0.2.10 asks six.example A
       client is answered six.example A 0.0.0.0
       upstream is not asked
       stat ad_list_denied is 6

       # exceptions of the third list
at 2s  client 192.0.2.10 asks fine.banners.example A
       upstream is asked fine.banners.example A
       upstream answers fine.banners.example A 203.0.113.1
       client is answered fine.banners.example A 203.0.113.1
       client 192.0.2.10 asks fine.tracker.example A
       upstream is asked fine.tracker.example A
       upstream answers fine.tracker.example A 203.0.113.2
       client is answered fine.tracker.example A 203.0.113.2
       # ... and important exceptions than those
       client 192.0.2.10 asks ok.hard.example A
       upstream is asked ok.hard.example A
       upstream answers ok.hard.example A 203.0.113.3
       client is answered ok.hard.example A 203.0.113.3
       # an exception for one type
       client 192.0.2.10 asks six.example AAAA
       upstream is asked six.example AAAA
       upstream answers six.example AAAA 2001:db8::4
       client is answered six.example AAAA 2001:db8::4
       # its badfilter removes a rule of the first list
       client 192.0.2.10 asks gone.example A
       upstream is asked gone.example A
       upstream answers gone.example A 203.0.113.5
       client is answered gone.example A 203.0.113.5
       # the wildcard of the hosts list is a bad line
       client 192.0.2.10 asks a.star.example A
       upstream is asked a.star.example A
       upstream answers a.star.example A 203.0.113.6
       client is answered a.star.example A 203.0.113.6
       stat ad_list_denied is 6
       sums hold

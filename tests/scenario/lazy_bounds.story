# lazy_refresh_concurrency: a second expired answer waits for a free refresh; lazy_refresh_failure_cooldown: a name whose
# refresh failed is not asked again before the pause ends.
config lazy_bounds.yaml
workers 2

at 1s  client 192.0.2.10 asks one.example A
       upstream answers one.example A 203.0.113.1 ttl 30
       client is answered one.example A 203.0.113.1 ttl 30
       client 192.0.2.10 asks two.example A
       upstream answers two.example A 203.0.113.2 ttl 30
       client is answered two.example A 203.0.113.2 ttl 30
       upstream was asked one.example A
       upstream was asked two.example A

       # the limit: the second name is served, and not asked
at 100s client 192.0.2.10 asks one.example A
       client is answered one.example A 203.0.113.1 ttl 5
       client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
       upstream is asked one.example A
       upstream is not asked
       stat cache_refreshes is 1
       stat cache_refreshes_busy is 1

       # a query for the name that is being refreshed is no refused refresh
       client 192.0.2.11 asks one.example A
       client is answered one.example A 203.0.113.1 ttl 5
       stat cache_refreshes_busy is 1

       # the refresh ends: the next query for the other name begins one at once
at +20ms upstream answers one.example A 203.0.113.1 ttl 3600
at +20ms client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
       upstream is asked two.example A
       stat cache_refreshes is 2

       # it fails: no query asks again before 20 s are over, and the expired answer is served
at +20ms upstream answers two.example A servfail
at +20ms stat cache_refreshes_failed is 1
at 107s client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
at 118s client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
       upstream is not asked
at 122s client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
       upstream is asked two.example A

       # silence fails at the end of its time, and the pause begins there
at 128s stat cache_refreshes_failed is 2
       upstream was asked two.example A
at 140s client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.2 ttl 5
       upstream is not asked
at 150s client 192.0.2.10 asks two.example A
       upstream is asked two.example A
       upstream answers two.example A 203.0.113.22 ttl 60
at +20ms client is answered two.example A 203.0.113.2 ttl 5
       client 192.0.2.10 asks two.example A
       client is answered two.example A 203.0.113.22 ttl 59..60
       stat cache_refreshes is 4
       stat cache_refreshes_failed is 2
at 160s sums hold

# A site points to a tracker by CNAME or HTTPS: the name of the site is blocked as the tracker's name is.
config adlist_cname.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.media.example A
       upstream is asked www.media.example A
       upstream answers www.media.example A cname www.tracker.example 203.0.113.1 ttl 300
       client is answered www.media.example A 0.0.0.0
       stat ad_list_targets_denied is 1
       stat ad_list_denied is 0
       # the later links of a chain, too
       client 192.0.2.10 asks deep.example A
       upstream is asked deep.example A
       upstream answers deep.example A cname cdn.example cname deep.tracker.example 203.0.113.2 ttl 300
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks deep.example AAAA
       upstream is asked deep.example AAAA
       upstream answers deep.example AAAA cname cdn.example cname deep.tracker.example 2001:db8::2 ttl 300
       client is answered deep.example AAAA ::
       # a chain without an address
       client 192.0.2.10 asks none.example A
       upstream is asked none.example A
       upstream answers none.example A cname gone.tracker.example nxdomain soa 300 300
       client is answered none.example A 0.0.0.0
       # the target of an HTTPS record
       client 192.0.2.10 asks svc.example HTTPS
       upstream is asked svc.example HTTPS
       upstream answers svc.example HTTPS edge.tracker.example ttl 300
       client is answered svc.example HTTPS rcode noerror soa
       client 192.0.2.10 asks svc.example SVCB
       upstream is asked svc.example SVCB
       upstream answers svc.example SVCB edge.tracker.example ttl 300
       client is answered svc.example SVCB rcode noerror soa
       # it has no other target
       client 192.0.2.10 asks own.example HTTPS
       upstream is asked own.example HTTPS
       upstream answers own.example HTTPS 203.0.113.3 ttl 300
       client is answered own.example HTTPS 203.0.113.3
       stat ad_list_targets_denied is 6
       # nothing is claimed
at +20ms router edge1 has 0 rows in policy_set_v4

       # hits of it: not from the packet cache, and no upstream is asked
at 2s  client 192.0.2.11 asks www.media.example A
       client is answered www.media.example A 0.0.0.0
       client 192.0.2.11 asks www.media.example A
       client is answered www.media.example A 0.0.0.0
       client 192.0.2.11 asks svc.example HTTPS
       client is answered svc.example HTTPS rcode noerror soa
       upstream is not asked
       stat ad_list_targets_denied is 9
       stat packet_cache_hits is 0

       # exceptions and `allow` cover the question: its answer is not checked
at 3s  client 192.0.2.10 asks www.shop.example A
       upstream is asked www.shop.example A
       upstream answers www.shop.example A cname shop.tracker.example 203.0.113.4 ttl 300
       client is answered www.shop.example A cname shop.tracker.example 203.0.113.4
       client 192.0.2.10 asks allowed.example A
       upstream is asked allowed.example A
       upstream answers allowed.example A cname www.tracker.example 203.0.113.5 ttl 300
       client is answered allowed.example A cname www.tracker.example 203.0.113.5
       client 192.0.2.10 asks allowed.example A
       client is answered allowed.example A cname www.tracker.example 203.0.113.5
       # ... or the target
       client 192.0.2.10 asks fine.example A
       upstream is asked fine.example A
       upstream answers fine.example A cname a.fine.tracker.example 203.0.113.6 ttl 300
       client is answered fine.example A cname a.fine.tracker.example 203.0.113.6
       client 192.0.2.10 asks good.example A
       upstream is asked good.example A
       upstream answers good.example A cname good.tracker.example 203.0.113.7 ttl 300
       client is answered good.example A cname good.tracker.example 203.0.113.7
       # an important rule is stronger than an exception
       client 192.0.2.10 asks hard.example A
       upstream is asked hard.example A
       upstream answers hard.example A cname both.example 203.0.113.8 ttl 300
       client is answered hard.example A 0.0.0.0
       stat ad_list_targets_denied is 10
       # a name of the list itself
       client 192.0.2.10 asks www.tracker.example A
       client is answered www.tracker.example A 0.0.0.0
       upstream is not asked
       stat ad_list_denied is 1

       # hits of others are plain
at 4s  client 192.0.2.12 asks good.example A
       client is answered good.example A cname good.tracker.example 203.0.113.7
       client 192.0.2.12 asks good.example A
       client is answered good.example A cname good.tracker.example 203.0.113.7
       stat packet_cache_hits is 1

       # in a pause clients get the upstream's answer, from the cache
at 10s adlist ads is paused for 10s
       client 192.0.2.10 asks www.media.example A
       client is answered www.media.example A cname www.tracker.example 203.0.113.1
       upstream is not asked
       stat ad_list_targets_denied is 10
at +20ms router edge1 has row policy_set_v4 203.0.113.1
at 15s adlist ads resumes
       client 192.0.2.10 asks www.media.example A
       client is answered www.media.example A 0.0.0.0
       stat ad_list_targets_denied is 11

       # another list
at 20s configuration is adlist_cname_other.yaml
       client 192.0.2.10 asks www.media.example A
       client is answered www.media.example A cname www.tracker.example 203.0.113.1
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks good.example A
       client is answered good.example A cname good.tracker.example 203.0.113.7
       # ... none
at 30s configuration is adlist_cname_off.yaml
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A cname cdn.example cname deep.tracker.example 203.0.113.2
       client 192.0.2.10 asks www.tracker.example A
       client is answered www.tracker.example A 0.0.0.0
       # ... and the first again
at 40s configuration is adlist_cname.yaml
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks good.example A
       client is answered good.example A cname good.tracker.example 203.0.113.7
       upstream is not asked
       stat ad_list_targets_denied is 15
       sums hold

       # what a dump restores
at 50s power fails for 10s uptime 10s
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks deep.example A
       client is answered deep.example A 0.0.0.0
       client 192.0.2.10 asks good.example A
       client is answered good.example A cname good.tracker.example 203.0.113.7
       upstream is not asked

       # a stale answer
at 400s client 192.0.2.10 asks deep.example A edns
       upstream is asked deep.example A
at +600ms client is answered deep.example A 0.0.0.0 ede 15
       client 192.0.2.10 asks good.example A edns
       upstream is asked good.example A
at +600ms client is answered good.example A cname good.tracker.example 203.0.113.7 ede 3
       stat cache_stale_answers is 2
       stat ad_list_targets_denied is 3
       sums hold

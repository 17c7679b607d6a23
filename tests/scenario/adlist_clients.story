# Clients under different ad lists share a cache; each gets the answer of its own ad list.
config adlist_clients.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.66 asks one.example A
       upstream is asked one.example A
       upstream answers one.example A cname www.tracker.example 203.0.113.1 ttl 300
       client is answered one.example A cname www.tracker.example 203.0.113.1
       client 192.0.2.10 asks one.example A
       client is answered one.example A 0.0.0.0
       client 192.0.2.99 asks one.example A
       client is answered one.example A cname www.tracker.example 203.0.113.1
       # stored for a client that is denied it
       client 192.0.2.66 asks two.example A
       upstream is asked two.example A
       upstream answers two.example A cname cdn.example 203.0.113.2 ttl 300
       client is answered two.example A rcode nxdomain soa
       client 192.0.2.77 asks two.example A
       client is answered two.example A cname cdn.example 203.0.113.2
       client 192.0.2.77 asks cdn.example A
       client is answered cdn.example A 0.0.0.0
       client 192.0.2.66 asks two.example A
       client is answered two.example A rcode nxdomain soa
       client 192.0.2.10 asks two.example A
       client is answered two.example A cname cdn.example 203.0.113.2
       upstream is not asked
       stat ad_list_targets_denied is 3
       # rules by type count by the type of the question
       client 192.0.2.66 asks v6.example AAAA
       upstream is asked v6.example AAAA
       upstream answers v6.example AAAA cname www.six.example 2001:db8::1 ttl 300
       client is answered v6.example AAAA rcode nxdomain soa
       client 192.0.2.66 asks v6.example A
       upstream is asked v6.example A
       upstream answers v6.example A cname www.six.example 203.0.113.3 ttl 300
       client is answered v6.example A cname www.six.example 203.0.113.3
       client 192.0.2.66 asks wide.test.example A
       upstream is asked wide.test.example A
       upstream answers wide.test.example A cname a.wide.example 203.0.113.4 ttl 300
       client is answered wide.test.example A rcode nxdomain soa
       client 192.0.2.66 asks ok.test.example A
       upstream is asked ok.test.example A
       upstream answers ok.test.example A cname ok.wide.example 203.0.113.5 ttl 300
       client is answered ok.test.example A cname ok.wide.example 203.0.113.5

       # what this box itself points to
at 2s  client 192.0.2.10 asks alias.house.example A
       upstream is asked www.tracker.example A
       upstream answers www.tracker.example A 203.0.113.6 ttl 300
       client is answered alias.house.example A 0.0.0.0
       client 192.0.2.10 asks lost.example A
       client is answered lost.example A 0.0.0.0
       client 192.0.2.99 asks lost.example A
       client is answered lost.example A cname www.tracker.example 203.0.113.6
       upstream is not asked
       client 192.0.2.10 asks moved.example A
       upstream is asked target.example A
       upstream answers target.example A cname x.tracker.example 203.0.113.7 ttl 300
       client is answered moved.example A 0.0.0.0
       client 192.0.2.99 asks moved.example A
       client is answered moved.example A cname target.example cname x.tracker.example 203.0.113.7

       # the second upstream of a fallback
at 3s  client 192.0.2.10 asks late.example A
       upstream 198.51.100.53 is asked late.example A
at +210ms upstream 198.51.100.54 is asked late.example A
       upstream 198.51.100.54 answers late.example A cname late.tracker.example 203.0.113.8 ttl 300
       client is answered late.example A 0.0.0.0
       client 192.0.2.99 asks late.example A
       client is answered late.example A cname late.tracker.example 203.0.113.8

       # an ad list inside the cache: the cache does not store what it denies
at 5s  client 192.0.2.10 asks a.behind.example A
       upstream is asked a.behind.example A
       upstream answers a.behind.example A cname a.tracker.example 203.0.113.9 ttl 300
       client is answered a.behind.example A 0.0.0.0
       client 192.0.2.10 asks a.behind.example A
       upstream is asked a.behind.example A
       upstream answers a.behind.example A cname a.tracker.example 203.0.113.9 ttl 300
       client is answered a.behind.example A 0.0.0.0
       adlist ads is paused for 60s
       client 192.0.2.10 asks a.behind.example A
       upstream answers a.behind.example A cname a.tracker.example 203.0.113.9 ttl 300
       client is answered a.behind.example A cname a.tracker.example 203.0.113.9
       adlist ads resumes
       client 192.0.2.10 asks a.behind.example A
       upstream answers a.behind.example A cname a.tracker.example 203.0.113.9 ttl 300
       client is answered a.behind.example A 0.0.0.0
       client 192.0.2.10 asks b.behind.example A
       upstream answers b.behind.example A cname b.example 203.0.113.10 ttl 300
       client is answered b.behind.example A cname b.example 203.0.113.10
       client 192.0.2.10 asks b.behind.example A
       client is answered b.behind.example A cname b.example 203.0.113.10

       # a prefetch for a client that is denied it claims nothing
at 10s client 192.0.2.10 asks hot.example A
       upstream answers hot.example A cname hot.tracker.example 203.0.113.11 ttl 100
       client is answered hot.example A 0.0.0.0
at 20s client 192.0.2.10 asks hot.example A
       client is answered hot.example A 0.0.0.0
       client 192.0.2.10 asks hot.example A
       client is answered hot.example A 0.0.0.0
at 95s client 192.0.2.10 asks hot.example A
       client is answered hot.example A 0.0.0.0
       stat cache_prefetches is 1
       upstream answers hot.example A cname hot.tracker.example 203.0.113.12 ttl 100
at 96s router edge1 has no row policy_set_v4 203.0.113.12
at 97s client 192.0.2.99 asks hot.example A
       client is answered hot.example A cname hot.tracker.example 203.0.113.12
       client 192.0.2.10 asks hot.example A
       client is answered hot.example A 0.0.0.0
at 98s router edge1 has no row policy_set_v4 203.0.113.11
       router edge1 has row policy_set_v4 203.0.113.12
       router edge1 has row policy_set_v4 203.0.113.1
       router edge1 has no row policy_set_v4 203.0.113.4
       sums hold

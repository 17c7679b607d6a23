# redirect as in ForgeDNS: the target is asked for, the old name put back, and `old CNAME target` with TTL 1 put first.
config redirect.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks Old.Plain.example A
       upstream is asked new.target.example A
       upstream is not asked
       upstream answers new.target.example A cname deep.target.example 203.0.113.1 203.0.113.2 ttl 300
       client is answered Old.Plain.example A 203.0.113.1 203.0.113.2 ttl 300 cname new.target.example@1 cname deep.target.example@300
       # other names are as they were
       client 192.0.2.10 asks other.plain.example A
       upstream is asked other.plain.example A
       upstream answers other.plain.example A 203.0.113.3 ttl 300
       client is answered other.plain.example A 203.0.113.3 ttl 300
       # the rule that was written first, of whatever kind
       client 192.0.2.10 asks first.wild.plain.example A
       upstream is asked one.target.example A
       upstream answers one.target.example A 203.0.113.4
       client is answered first.wild.plain.example A 203.0.113.4 cname one.target.example@1
       client 192.0.2.10 asks x.wild.plain.example A
       upstream is asked two.target.example A
       upstream answers two.target.example A 203.0.113.5
       client is answered x.wild.plain.example A 203.0.113.5 cname two.target.example@1
       # one that is its own target is no other name
       client 192.0.2.10 asks www.self.plain.example A
       upstream is asked www.self.plain.example A
       upstream answers www.self.plain.example A 203.0.113.6
       client is answered www.self.plain.example A 203.0.113.6
       client 192.0.2.10 asks self.plain.example A
       upstream is asked www.self.plain.example A
       upstream answers www.self.plain.example A 203.0.113.6
       client is answered self.plain.example A 203.0.113.6 cname www.self.plain.example@1

       # no such name, no record of that type, a failure
at 10s client 192.0.2.10 asks old.plain.example A
       upstream answers new.target.example A nxdomain soa 60 60
       client is answered old.plain.example A rcode nxdomain cname new.target.example@1 soa
       client 192.0.2.10 asks old.plain.example AAAA
       upstream answers new.target.example AAAA empty soa 60 60
       client is answered old.plain.example AAAA cname new.target.example@1 soa
       client 192.0.2.10 asks old.plain.example AAAA
       upstream answers new.target.example AAAA refused
       client is answered old.plain.example AAAA rcode refused
       client 192.0.2.10 asks old.plain.example CNAME
       upstream answers new.target.example CNAME empty soa 60 60
       client is answered old.plain.example CNAME cname new.target.example@1 soa
       upstream was asked new.target.example A
       upstream was asked new.target.example AAAA
       upstream was asked new.target.example CNAME
       upstream is not asked

       # who asks for the target itself waits for the same answer
at 20s client 192.0.2.10 asks old.plain.example A
       client 192.0.2.11 asks new.target.example A
       upstream is asked new.target.example A
       upstream is not asked
       stat upstream_coalesced is 1
       upstream answers new.target.example A 203.0.113.7 ttl 300
       client 192.0.2.10 is answered old.plain.example A 203.0.113.7 cname new.target.example@1
       client 192.0.2.11 is answered new.target.example A 203.0.113.7

       # a cache behind the redirect holds the target: for every client and every name that leads to it
at 30s client 192.0.2.10 asks inside.example A
       upstream is asked new.target.example A
       upstream answers new.target.example A 203.0.113.10 ttl 300
       client is answered inside.example A 203.0.113.10 ttl 300 cname new.target.example@1
at 30500ms router edge1 is sent add list=policy_set_v4 address=203.0.113.10 comment=fdns;pg=policy;kind=D;dm=inside.example
at 90s client 192.0.2.11 asks also.inside.example A
       upstream is not asked
       client is answered also.inside.example A 203.0.113.10 ttl 240 cname new.target.example@1
at 130s router edge1 has row policy_set_v4 203.0.113.10

       # a cache in front of the redirect holds the name that was asked for, with its answer
at 200s client 192.0.2.10 asks www.outside.example A
       upstream is asked far.target.example A
       upstream answers far.target.example A 203.0.113.20 ttl 300
       client is answered www.outside.example A 203.0.113.20 ttl 300 cname far.target.example@60
at 210s client 192.0.2.10 asks www.outside.example A
       upstream is not asked
       client is answered www.outside.example A 203.0.113.20 ttl 290 cname far.target.example@50
       client 192.0.2.10 asks far.outside.example A
       upstream is asked far.target.example A
       upstream answers far.target.example A 203.0.113.21 ttl 300
       client is answered far.outside.example A 203.0.113.21 cname far.target.example@60
at +20ms router edge1 has row policy_set_v4 203.0.113.20
       router edge1 has row policy_set_v4 203.0.113.21
       # stale: the upstream says nothing in time, and then nothing at all
at 300s client 192.0.2.10 asks www.outside.example A edns
       upstream is asked far.target.example A
at 300510ms client is answered www.outside.example A 203.0.113.20 ttl 30 ede 3 cname far.target.example@30
at 306s client has no answer
       upstream was asked far.target.example A
at 310s client 192.0.2.11 asks www.outside.example A edns
       client is answered www.outside.example A 203.0.113.20 ttl 30 ede 3 cname far.target.example@30
at 320s upstream is not asked
       # it recovers: what the refresh brings is the answer to the name that was asked for
at 340s client 192.0.2.10 asks www.outside.example A edns
at 340600ms client is answered www.outside.example A 203.0.113.20 ttl 30 ede 3
       upstream answers far.target.example A 203.0.113.22 ttl 300
       client 192.0.2.10 asks www.outside.example A edns
       client is answered www.outside.example A 203.0.113.22 ttl 299..300 cname far.target.example@60
       upstream was asked far.target.example A

       # caches on both sides, the answer fails: the innermost that has one
at 400s client 192.0.2.10 asks fails.stale.example A edns
       upstream is asked fails.target.example A
       upstream answers fails.target.example A 203.0.113.30 ttl 70
       client is answered fails.stale.example A 203.0.113.30 ttl 70 cname fails.target.example@60
at 465s client 192.0.2.10 asks fails.stale.example A edns
       upstream is not asked
       client is answered fails.stale.example A 203.0.113.30 ttl 5..60 cname fails.target.example@60
at 600s client 192.0.2.10 asks fails.stale.example A edns
       upstream is asked fails.target.example A
       upstream answers fails.target.example A servfail
       client is answered fails.stale.example A 203.0.113.30 ttl 30 ede 3 cname fails.target.example@1

       # stale at once, refreshed in the background: by the target's name
at 700s client 192.0.2.10 asks lazy.inside.example A edns
       upstream is asked lazy.target.example A
       upstream answers lazy.target.example A 203.0.113.40 ttl 60
       client is answered lazy.inside.example A 203.0.113.40 cname lazy.target.example@1
at 800s client 192.0.2.10 asks lazy.inside.example A edns
       client is answered lazy.inside.example A 203.0.113.40 ttl 5 ede 3 cname lazy.target.example@1
       upstream is asked lazy.target.example A
       upstream is not asked
       upstream answers lazy.target.example A 203.0.113.41 ttl 60
       client 192.0.2.10 asks lazy.inside.example A edns
       client is answered lazy.inside.example A 203.0.113.41 ttl 60 cname lazy.target.example@1
       # ... and a popular one before its end
       client 192.0.2.10 asks hot.inside.example A edns
       upstream is asked hot.target.example A
       upstream answers hot.target.example A 203.0.113.42 ttl 100
       client is answered hot.inside.example A 203.0.113.42
at 810s client 192.0.2.10 asks hot.inside.example A edns
       client is answered hot.inside.example A 203.0.113.42 ttl 90 cname hot.target.example@1
at 811s client 192.0.2.10 asks hot.inside.example A edns
       client is answered hot.inside.example A 203.0.113.42 ttl 89 cname hot.target.example@1
       upstream is not asked
at 890s client 192.0.2.10 asks hot.inside.example A edns
       client is answered hot.inside.example A 203.0.113.42 ttl 10 cname hot.target.example@1
       upstream is asked hot.target.example A
       upstream answers hot.target.example A 203.0.113.43 ttl 100
       client 192.0.2.10 asks hot.inside.example A edns
       client is answered hot.inside.example A 203.0.113.43 ttl 100 cname hot.target.example@1

       # waiting, and branches of branches: all of them ask for the target
at 1000s client 192.0.2.10 asks www.branches.example A
at 1000049ms upstream is not asked
at 1000060ms upstream 198.51.100.53 is asked both.target.example A
       upstream answers both.target.example A servfail
at +1ms upstream 198.51.100.54 is not asked
at +200ms client is answered www.branches.example A rcode servfail
at 1010s client 192.0.2.10 asks www.branches.example A
at 1010060ms upstream 198.51.100.53 is asked both.target.example A
at 1010300ms upstream 198.51.100.54 is asked both.target.example A
       upstream 198.51.100.54 answers both.target.example A 203.0.113.66 ttl 300
       client is answered www.branches.example A 203.0.113.66 ttl 77 cname both.target.example@1
       # the preferred family has an answer: none of the other, and the alias all the same
at 1020s client 192.0.2.10 asks www.branches.example AAAA
       client is answered www.branches.example AAAA cname both.target.example@1
       upstream was asked both.target.example A   # .53 again, for the answer before
       upstream is not asked
       stat prefer_denied is 1

       # one behind the other
at 1100s client 192.0.2.10 asks one.chain.example A
       upstream is asked three.chain.example A
       upstream answers three.chain.example A cname a.deep.example 203.0.113.80 ttl 300
       client is answered one.chain.example A 203.0.113.80 ttl 33 cname two.chain.example@1 cname three.chain.example@1 cname a.deep.example@33
at 1200s sums hold

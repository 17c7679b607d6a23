# fallback as in ForgeDNS: any response of the primary counts. Without one, after an error, or late, the secondary's counts.
config fallback.yaml
router edge1 preset fast latency 2ms

       # in time: the secondary is not asked, and the lists of the primary are claimed
at 1s  client 192.0.2.10 asks www.example A
at 1090ms upstream 198.51.100.53 was asked www.example A
       upstream is not asked
       upstream 198.51.100.53 answers www.example A 203.0.113.1 ttl 300
       client is answered www.example A 203.0.113.1 ttl 300
at +20ms router edge1 has row policy_set_v4 203.0.113.1
       router edge1 has 0 rows in other_set_v4
at 2s  client 192.0.2.11 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 299
       upstream is not asked

       # NXDOMAIN, NODATA and a SERVFAIL that is a reply are responses
       client 192.0.2.10 asks nx.example A
       upstream 198.51.100.53 answers nx.example A nxdomain soa 60 60
       client is answered nx.example A rcode nxdomain
       client 192.0.2.10 asks nodata.example A
       upstream 198.51.100.53 answers nodata.example A empty soa 60 60
       client is answered nodata.example A rcode noerror
       client 192.0.2.10 asks servfail.example A
       upstream 198.51.100.53 answers servfail.example A servfail
       client is answered servfail.example A rcode servfail
       upstream 198.51.100.54 is not asked
       stat fallback_secondary is 0
       upstream was asked nx.example A
       upstream was asked nodata.example A
       upstream was asked servfail.example A

       # late: the first response counts; its own lists are claimed, and kept with it in the cache
at 10s client 192.0.2.10 asks late.example A
at 10104ms upstream 198.51.100.54 is asked late.example A
       client has no answer
       upstream 198.51.100.54 answers late.example A 203.0.113.2 ttl 300
       client is answered late.example A 203.0.113.2 ttl 300
       stat fallback_secondary is 1
at +20ms router edge1 has row other_set_v4 203.0.113.2
       router edge1 has no row policy_set_v4 203.0.113.2
       # a later answer is not sent and makes no claims
       upstream 198.51.100.53 answers late.example A 203.0.113.3 ttl 300
       client has no answer
at +20ms router edge1 has no row policy_set_v4 203.0.113.3
       client 192.0.2.11 asks late.example A
       client is answered late.example A 203.0.113.2
       upstream was asked late.example A

       # the primary is late, and still answers first
at 20s client 192.0.2.10 asks slow.example A
at 20104ms upstream 198.51.100.54 is asked slow.example A
       upstream 198.51.100.53 answers slow.example A 203.0.113.4 ttl 300
       client is answered slow.example A 203.0.113.4
at +20ms router edge1 has row policy_set_v4 203.0.113.4
       upstream 198.51.100.54 answers slow.example A 203.0.113.5 ttl 300
       client has no answer
       upstream was asked slow.example A

       # silence of both: an error
at 30s client 192.0.2.10 asks silent.example A edns
at 33s client has no answer
at 35120ms client is answered silent.example A rcode servfail ede 22
       upstream was asked silent.example A

       # always_standby: asked at once, kept until the primary fails or is late
at 40s client 192.0.2.10 asks a.standby.example A
       upstream 198.51.100.53 is asked a.standby.example A
       upstream 198.51.100.54 is asked a.standby.example A
       upstream 198.51.100.54 answers a.standby.example A 203.0.113.6 ttl 300
at 40490ms client has no answer
at 40504ms client is answered a.standby.example A 203.0.113.6
at +20ms router edge1 has row other_set_v4 203.0.113.6
       client 192.0.2.10 asks b.standby.example A
       upstream 198.51.100.54 answers b.standby.example A 203.0.113.7 ttl 300
       upstream 198.51.100.53 answers b.standby.example A 203.0.113.8 ttl 300
       client is answered b.standby.example A 203.0.113.8
at +20ms router edge1 has row policy_set_v4 203.0.113.8
       router edge1 has no row other_set_v4 203.0.113.7
       upstream was asked b.standby.example A

       # neither has a response or an error: the program goes on without a response
at 50s upstream was asked a.standby.example A
       client 192.0.2.10 asks www.empty.example A
       upstream 198.51.100.55 is asked www.empty.example A
       upstream 198.51.100.55 answers www.empty.example A 203.0.113.9 ttl 300
       client is answered www.empty.example A 203.0.113.9

       # a failure from the primary's cache is an error: the secondary starts at once
at 60s client 192.0.2.10 asks www.kept.example A
at 60504ms upstream 198.51.100.54 is asked www.kept.example A
       upstream 198.51.100.54 answers www.kept.example A 203.0.113.10 ttl 300
       client is answered www.kept.example A 203.0.113.10
at 65100ms upstream was asked www.kept.example A
       client 192.0.2.10 asks www.kept.example A
       upstream 198.51.100.54 is asked www.kept.example A
       upstream 198.51.100.53 is not asked
       upstream 198.51.100.54 answers www.kept.example A 203.0.113.10 ttl 300
       client is answered www.kept.example A 203.0.113.10

       # a fallback as the primary of another
at 80s client 192.0.2.10 asks www.nested.example A
at 80104ms upstream 198.51.100.54 is asked www.nested.example A
       upstream 198.51.100.55 is not asked
at 81004ms upstream 198.51.100.55 is asked www.nested.example A
       upstream 198.51.100.54 answers www.nested.example A 203.0.113.11 ttl 300
       client is answered www.nested.example A 203.0.113.11
       upstream 198.51.100.55 answers www.nested.example A 203.0.113.12 ttl 300
       client has no answer
at 95s sums hold

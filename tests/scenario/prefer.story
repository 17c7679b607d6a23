# prefer_ipv4 as in ForgeDNS: the other family gets NOERROR without records if the preferred one has an answer; both are asked
# side by side, and the probe is waited for 500 ms.
config prefer.yaml
router edge1 preset fast latency 2ms

       # the probe says at once that it is not wanted: the other answer is not waited for, and claims nothing
at 1s  client 192.0.2.10 asks www.example AAAA
       upstream is asked www.example AAAA
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered www.example AAAA rcode noerror
       stat prefer_denied is 1
       upstream answers www.example AAAA 2001:db8::1 ttl 300
       client has no answer
at +20ms router edge1 has 0 rows in policy_set_v6
       # what it brought is in the cache, and remembered
       client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.1 ttl 300
       client 192.0.2.10 asks www.example AAAA
       client is answered www.example AAAA rcode noerror
       upstream is not asked
       stat prefer_denied is 2
       # the preferred family and other types are resolved as before
       client 192.0.2.10 asks www.example TXT
       upstream is asked www.example TXT
       upstream is not asked
       upstream answers www.example TXT empty soa 60 60
       client is answered www.example TXT rcode noerror

       # the name has no IPv4
at 10s client 192.0.2.10 asks six.example AAAA
       upstream answers six.example AAAA 2001:db8::6 ttl 300
       client has no answer
at 10100ms upstream answers six.example A empty soa 60 60
       client is answered six.example AAAA 2001:db8::6 ttl 300
at +20ms router edge1 has row policy_set_v6 2001:db8::6/128
       client 192.0.2.11 asks six.example AAAA
       client is answered six.example AAAA 2001:db8::6
       upstream was asked six.example AAAA
       upstream was asked six.example A
       upstream is not asked

       # the probe is late: 500 ms after the answer
at 20s client 192.0.2.10 asks slow.example AAAA
at 20200ms upstream answers slow.example AAAA 2001:db8::7 ttl 300
at 20690ms client has no answer
at 20704ms client is answered slow.example AAAA 2001:db8::7
       upstream answers slow.example A 203.0.113.7 ttl 300
       client has no answer
       upstream was asked slow.example AAAA
       upstream was asked slow.example A

       # the probe fails: as if there were no IPv4; the question fails: SERVFAIL
at 30s client 192.0.2.10 asks fails.example AAAA
       upstream answers fails.example A servfail
       upstream answers fails.example AAAA 2001:db8::8 ttl 300
       client is answered fails.example AAAA 2001:db8::8
       client 192.0.2.10 asks gone.example AAAA
       upstream answers gone.example A nxdomain soa 60 60
       upstream answers gone.example AAAA nxdomain soa 60 60
       client is answered gone.example AAAA rcode nxdomain
       upstream was asked fails.example AAAA
       upstream was asked fails.example A
       upstream was asked gone.example AAAA
       upstream was asked gone.example A

       # a name that was asked for IPv4 before is known without a probe
at 40s client 192.0.2.10 asks known.example A
       upstream is asked known.example A
       upstream is not asked
       upstream answers known.example A 203.0.113.9 ttl 300
       client is answered known.example A 203.0.113.9
       client 192.0.2.11 asks known.example AAAA
       client is answered known.example AAAA rcode noerror
       upstream is not asked
       # ... for an hour
at 3700s client 192.0.2.11 asks known.example AAAA
       upstream is asked known.example A
       upstream is asked known.example AAAA
       upstream answers known.example A empty soa 60 60
       upstream answers known.example AAAA 2001:db8::9 ttl 300
       client is answered known.example AAAA 2001:db8::9

       # `accept` in the rest stops the caller too, whether it was asked or not
at 3800s client 192.0.2.10 asks www.plain.example AAAA
       upstream is asked www.plain.example AAAA
       upstream is asked www.plain.example A
       upstream answers www.plain.example A 203.0.113.1 ttl 300
       client is answered www.plain.example AAAA rcode noerror
       upstream is not asked
       client 192.0.2.10 asks www.plain.example AAAA
       upstream is asked www.plain.example A
at 3810s sums hold

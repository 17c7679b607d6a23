# prefer_ipv4 with a `probe_executor`: it alone asks for A on behalf of AAAA. Its lists and marks do not count, and the
# question for A itself takes the rest of the sequence.
config probe_executor.yaml
router edge1 preset fast latency 2ms

       # the probe finds A: the answer is empty, and the program ends
at 1s  client 192.0.2.10 asks www.example AAAA
       upstream 198.51.100.53 is asked www.example AAAA
       upstream 198.51.100.54 is asked www.example A
       upstream 198.51.100.54 answers www.example A 203.0.113.1 ttl 30
       client is answered www.example AAAA rcode noerror
       stat prefer_denied is 1
       upstream 198.51.100.53 answers www.example AAAA 2001:db8::1 ttl 300
       client has no answer
at +20ms router edge1 has 0 rows in policy_set_v6
       router edge1 has 0 rows in probed_set_v4
       # it is remembered for a minute
at 50s client 192.0.2.10 asks www.example AAAA
       client is answered www.example AAAA rcode noerror
       stat prefer_denied is 2
       # A takes the rest, and counts for the next minute as well
at 55s client 192.0.2.10 asks www.example A
       upstream 198.51.100.53 is asked www.example A
       upstream 198.51.100.54 is not asked
       upstream 198.51.100.53 answers www.example A 203.0.113.1 ttl 30
       client is answered www.example A 203.0.113.1
at +20ms router edge1 has row policy_set_v4 203.0.113.1
at 114s client 192.0.2.10 asks www.example AAAA
       client is answered www.example AAAA rcode noerror
       upstream is not asked
at 116s client 192.0.2.10 asks www.example AAAA
       upstream 198.51.100.54 is asked www.example A
       upstream 198.51.100.53 is asked www.example AAAA
       upstream 198.51.100.54 answers www.example A empty soa 60 60
       upstream 198.51.100.53 answers www.example AAAA 2001:db8::1 ttl 300
       client is answered www.example AAAA 2001:db8::1
at +20ms router edge1 has row policy_set_v6 2001:db8::1/128

       # its cache is its own: the probe is answered from there
at 130s client 192.0.2.11 asks www.example AAAA
       upstream 198.51.100.54 is not asked
       upstream 198.51.100.53 is asked www.example AAAA
       upstream 198.51.100.53 answers www.example AAAA 2001:db8::1 ttl 300
       client is answered www.example AAAA 2001:db8::1

       # a probe that fails or is late is none
at 140s client 192.0.2.10 asks fails.example AAAA
       upstream 198.51.100.54 answers fails.example A servfail
       upstream 198.51.100.53 answers fails.example AAAA 2001:db8::2 ttl 300
       client is answered fails.example AAAA 2001:db8::2
       client 192.0.2.10 asks slow.example AAAA
       upstream 198.51.100.53 answers slow.example AAAA 2001:db8::3 ttl 300
at 140490ms client has no answer
at 140504ms client is answered slow.example AAAA 2001:db8::3
       upstream was asked fails.example AAAA
       upstream was asked fails.example A
       upstream was asked slow.example AAAA
       upstream was asked slow.example A
       upstream 198.51.100.54 answers slow.example A 203.0.113.9 ttl 30
       client has no answer

       # inside a nested sequence: the program ends, as OxiDNS has it
at 150s client 192.0.2.10 asks www.plain.example AAAA
       upstream 198.51.100.54 is asked www.plain.example A
       upstream 198.51.100.54 answers www.plain.example A 203.0.113.4 ttl 300
       client is answered www.plain.example AAAA rcode noerror
       upstream 198.51.100.53 answers www.plain.example AAAA 2001:db8::4 ttl 300
       upstream was asked www.plain.example AAAA
at 160s sums hold

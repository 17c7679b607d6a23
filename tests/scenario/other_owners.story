# Records of other names, of another type and under an error: they are not sent and not cached, and their addresses are not
# claimed, matched or learned.
config other_owners.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks www.stream.example A
       upstream answers www.stream.example A 203.0.113.7 record victim.other A 203.0.113.66 ttl 300
at +30ms client is answered www.stream.example A 203.0.113.7
       router edge1 has row policy_set_v4 203.0.113.7
       router edge1 has no row policy_set_v4 203.0.113.66
       stat upstream_scrubbed is 1
       # from the cache neither
at 2s  client 192.0.2.10 asks www.stream.example A
       client is answered www.stream.example A 203.0.113.7
       upstream was asked www.stream.example A
       upstream is not asked

       # a CNAME, and an address of another name than its target
       client 192.0.2.10 asks chain.stream.example A
       upstream answers chain.stream.example A record chain.stream.example CNAME host.stream.example record victim.other A 203.0.113.66
at +30ms client is answered chain.stream.example A cname host.stream.example
       # an address in an answer about text
       client 192.0.2.10 asks text.stream.example TXT
       upstream answers text.stream.example TXT record text.stream.example A 203.0.113.66
at +30ms client is answered text.stream.example TXT
       # and under an error
       client 192.0.2.10 asks gone.stream.example A
       upstream answers gone.stream.example A nxdomain 203.0.113.66
at +30ms client is answered gone.stream.example A rcode nxdomain
       client 192.0.2.10 asks no.stream.example A
       upstream answers no.stream.example A refused 203.0.113.66
at +30ms client is answered no.stream.example A rcode refused
       router edge1 has 1 rows in policy_set_v4

       # resp_ip and reverse_lookup do not see it
       client 192.0.2.10 asks plain.example A
       upstream answers plain.example A 203.0.113.8 record victim.other A 198.18.0.66
       client is answered plain.example A 203.0.113.8
       client 192.0.2.10 asks 66.0.18.198.in-addr.arpa PTR
       upstream is asked 66.0.18.198.in-addr.arpa PTR
       client 192.0.2.10 asks 8.113.0.203.in-addr.arpa PTR
       client is answered 8.113.0.203.in-addr.arpa PTR plain.example

       # prefer_ipv4 does not take it for an answer of that family, and dns64 makes no address of it
       client 192.0.2.10 asks six.preferred.example AAAA
       upstream answers six.preferred.example AAAA 2001:db8::6
       upstream answers six.preferred.example A record victim.other A 203.0.113.66
       client is answered six.preferred.example AAAA 2001:db8::6
       client 2001:db8:1::10 asks four.mapped.example AAAA
       upstream is asked four.mapped.example AAAA
       upstream is asked four.mapped.example A
       upstream answers four.mapped.example AAAA empty
       upstream answers four.mapped.example A record victim.other A 203.0.113.66
       client is answered four.mapped.example AAAA
       sums hold

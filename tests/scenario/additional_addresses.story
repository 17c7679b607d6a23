# Clients connect to the addresses in the additional section of SRV and MX answers, so these are claimed, too. Those
# that no row can cover do not leave: clients ask for them. The others stay.
config additional_addresses.yaml
router edge1 preset fast latency 10ms

       # held until both rows are there; no TTL outlives them
at 1s  client 192.0.2.10 asks _sip._tcp.stream.example SRV
       upstream answers _sip._tcp.stream.example SRV a.stream.example additional a.stream.example A 203.0.113.7 additional a.stream.example AAAA 2001:db8::7 ttl 86400
       client has no answer
       router edge1 has no row policy_set_v4 203.0.113.7
at +60ms router edge1 has row policy_set_v4 203.0.113.7 timeout 1800..1802
       router edge1 has row policy_set_v6 2001:db8::7/128 timeout 1800..1802
       client is answered _sip._tcp.stream.example SRV a.stream.example additional 203.0.113.7 additional 2001:db8::7 ttl 1770
       outcome installed is 1

       # a hit whose rows are there leaves at once and claims nothing
at 11s client 192.0.2.11 asks _sip._tcp.stream.example SRV
       client is answered _sip._tcp.stream.example SRV a.stream.example additional 203.0.113.7 additional 2001:db8::7 ttl 1750..1762
       router edge1 has 1 rows in policy_set_v4
       stat claims_covered is 1

       # and one whose rows are lost brings them back before it leaves
at 20s router edge1 reboots for 5s
at 40s client 192.0.2.12 asks _sip._tcp.stream.example SRV
at +60ms client is answered _sip._tcp.stream.example SRV a.stream.example additional 203.0.113.7 additional 2001:db8::7 ttl 1720..1770
       router edge1 has row policy_set_v4 203.0.113.7
       router edge1 has row policy_set_v6 2001:db8::7/128

       # never_claim: no row can exist, so that record is left out, of hits too; the other one waits for its row
at 50s client 192.0.2.10 asks stream.example MX
       upstream answers stream.example MX mx.stream.example additional mx.stream.example A 10.0.0.7 additional mx.stream.example A 203.0.113.8 ttl 300
       client has no answer
at +60ms router edge1 has row policy_set_v4 203.0.113.8
       router edge1 has no row policy_set_v4 10.0.0.7
       client is answered stream.example MX mx.stream.example additional 203.0.113.8 ttl 300
at +1s client 192.0.2.11 asks stream.example MX
       client is answered stream.example MX mx.stream.example additional 203.0.113.8 ttl 298..299
       stat additional_left_out is 2

       # a list without address_list6
at 1m  client 192.0.2.10 asks four.example MX
       upstream answers four.example MX mx.four.example additional mx.four.example A 203.0.113.9 additional mx.four.example AAAA 2001:db8::9 ttl 300
       client is answered four.example MX mx.four.example additional 203.0.113.9 ttl 300
       client 192.0.2.10 asks mail.four.example MX
       upstream answers mail.four.example MX mx.four.example additional mx.four.example A 203.0.113.9 ttl 300
       client is answered mail.four.example MX mx.four.example additional 203.0.113.9 ttl 300
       client 192.0.2.10 asks six.four.example MX
       upstream answers six.four.example MX mx.four.example additional mx.four.example AAAA 2001:db8::9 ttl 300
       client is answered six.four.example MX mx.four.example ttl 300
at +60ms router edge1 has row only_v4 203.0.113.9
       router edge1 has 1 rows in only_v4

       # more than max_addresses: without the section
       client 192.0.2.10 asks many.four.example MX
       upstream answers many.four.example MX mx.four.example additional mx.four.example A 203.0.113.10 additional mx.four.example A 203.0.113.11 additional mx.four.example A 203.0.113.12 ttl 300
       client is answered many.four.example MX mx.four.example ttl 300
at +60ms router edge1 has 1 rows in only_v4

       # of a name that is in no set: nothing
       client 192.0.2.12 asks other.example MX
       upstream answers other.example MX mx.other.example additional mx.other.example A 10.0.0.9 ttl 300
       client is answered other.example MX mx.other.example additional 10.0.0.9 ttl 300
at +60ms router edge1 has no row policy_set_v4 10.0.0.9
       sums hold

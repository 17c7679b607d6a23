# A list is full. The first answer without a row leaves, because it did not wait; hits get a TTL of 5 s until the list has room.
config on_full.yaml
router edge1 preset fast latency 2ms

at 1s  client 192.0.2.10 asks one.stream.example A
       upstream answers one.stream.example A 203.0.113.1 ttl 300
       client is answered one.stream.example A 203.0.113.1 ttl 300
at +50ms router edge1 has row policy_set_v4 203.0.113.1
       client 192.0.2.10 asks one.stream.example A
       client is answered one.stream.example A 203.0.113.1 ttl 299..300

       client 192.0.2.11 asks two.stream.example A
       upstream answers two.stream.example A 203.0.113.2 ttl 300
       client is answered two.stream.example A 203.0.113.2 ttl 300
at +50ms client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 2
       stat full_capped is 1
       outcome refused is 1

       # another name with the same address may have room: it claims the address itself
at +1s client 192.0.2.12 asks three.stream.example A
       upstream answers three.stream.example A 203.0.113.2 ttl 300
       client is answered three.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 3
at +1s client 192.0.2.13 asks three.stream.example A
       client is answered three.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 3

       # after 5 s the address is claimed again, and the answer still has the short TTL
at +6s client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 4
at +1s client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 5
       stat events_raised is 4
       router edge1 has no row policy_set_v4 203.0.113.2

       # the one row's answer never lost a second by that
       client 192.0.2.10 asks one.stream.example A
       client is answered one.stream.example A 203.0.113.1 ttl 290..292
       stat events_raised is 4

       # its row ends, so there is room
at 6m  client 192.0.2.12 asks two.stream.example A
       upstream answers two.stream.example A 203.0.113.2 ttl 300
       client is answered two.stream.example A 203.0.113.2 ttl 300
at +50ms router edge1 has row policy_set_v4 203.0.113.2
       client 192.0.2.12 asks two.stream.example A
       client is answered two.stream.example A 203.0.113.2 ttl 299..300
       sums hold

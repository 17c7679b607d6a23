# A time matcher begins and ends with the minute, by the clock of its zone. On 29 March 2026, a Sunday, Berlin's clock goes
# from 02:00 to 03:00 at 01:00 UTC: the night of Saturday ends there, and the hour from 02:00 on never comes.
config time.yaml
wall 2026-03-29 00:58:00
router edge1 preset fast latency 2ms

       # 01:58: past midnight it is still the night of Saturday
at 1s  client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A rcode nxdomain
       client 192.0.2.10 asks www.example A
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.2 ttl 86400
       client is answered www.example A 203.0.113.2
at +20ms router edge1 has no row policy_set_v4 203.0.113.2
at 119999ms client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A rcode nxdomain
       client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.2
at +20ms router edge1 has no row policy_set_v4 203.0.113.2

       # 03:00: a hit is claimed for the lists of now, not for those of the query that stored it
at 2m1s client 192.0.2.10 asks www.example A
       client is answered www.example A 203.0.113.2
       upstream is not asked
at +20ms router edge1 has row policy_set_v4 203.0.113.2
       client 192.0.2.10 asks www.games.example A
       upstream is asked www.games.example A
       upstream answers www.games.example A 203.0.113.1 ttl 86400
       client is answered www.games.example A 203.0.113.1
at 31m59s client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A 203.0.113.1

       # 03:30 to 04:00, of each day: the rule is before the cache
at 32m client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A rcode nxdomain
at 61m59s client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A rcode nxdomain
at 62m client 192.0.2.10 asks www.games.example A
       client is answered www.games.example A 203.0.113.1
       upstream is not asked
at 63m sums hold

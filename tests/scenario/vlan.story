# The VLAN id of a query's frame selects rules, also once the query has waited for an upstream.
config vlan.yaml

at 1s  client 192.0.2.10 asks www.a.example A vlan 30
       client is answered www.a.example A 192.0.2.97
       client 192.0.2.10 asks www.a.example A vlan 199
       client is answered www.a.example A 192.0.2.97
       client 192.0.2.10 asks www.a.example A
       client is answered www.a.example A 192.0.2.98
       upstream is not asked
       client 192.0.2.10 asks www.a.example A vlan 20
       upstream is asked www.a.example A
       upstream answers www.a.example A 203.0.113.7 ttl 300
       client is answered www.a.example A 203.0.113.7 ttl 5
       client 192.0.2.10 asks www.a.example A vlan 200
       upstream is asked www.a.example A
       upstream answers www.a.example A 203.0.113.7 ttl 300
       client is answered www.a.example A 203.0.113.7 ttl 300
       sums hold

# Under load, BADCOOKIE and TC count in rows of `responses`. So a victim of forged queries gets few of them.
config cookies_limited.yaml
wall   2026-11-26 12:00:00

       # 32 pending queries, half of max_parked: the worker is under load
at 1s  client 192.0.2.100 asks n0.example A
       client 192.0.2.101 asks n1.example A
       client 192.0.2.102 asks n2.example A
       client 192.0.2.103 asks n3.example A
       client 192.0.2.104 asks n4.example A
       client 192.0.2.105 asks n5.example A
       client 192.0.2.106 asks n6.example A
       client 192.0.2.107 asks n7.example A
       client 192.0.2.108 asks n8.example A
       client 192.0.2.109 asks n9.example A
       client 192.0.2.110 asks n10.example A
       client 192.0.2.111 asks n11.example A
       client 192.0.2.112 asks n12.example A
       client 192.0.2.113 asks n13.example A
       client 192.0.2.114 asks n14.example A
       client 192.0.2.115 asks n15.example A
       client 192.0.2.116 asks n16.example A
       client 192.0.2.117 asks n17.example A
       client 192.0.2.118 asks n18.example A
       client 192.0.2.119 asks n19.example A
       client 192.0.2.120 asks n20.example A
       client 192.0.2.121 asks n21.example A
       client 192.0.2.122 asks n22.example A
       client 192.0.2.123 asks n23.example A
       client 192.0.2.124 asks n24.example A
       client 192.0.2.125 asks n25.example A
       client 192.0.2.126 asks n26.example A
       client 192.0.2.127 asks n27.example A
       client 192.0.2.128 asks n28.example A
       client 192.0.2.129 asks n29.example A
       client 192.0.2.130 asks n30.example A
       client 192.0.2.131 asks n31.example A
at 2s  client 192.0.2.12 asks a.other.example A edns cookie new
       client is answered a.other.example A rcode badcookie cookie fresh
       client 192.0.2.13 asks b.other.example A
       client is answered b.other.example A truncated
       client 192.0.2.14 asks c.other.example A edns cookie new
       client has no answer
       client 192.0.2.12 asks d.other.example A
       client has no answer
       verdict limited_dropped is 2
       verdict bad_cookie is 1
       verdict truncated_cookie is 1
       # other prefixes have buckets of their own
       client 198.51.100.12 asks a.other.example A
       client is answered a.other.example A truncated
       sums hold

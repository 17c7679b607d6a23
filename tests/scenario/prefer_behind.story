# What is there in front of prefer_ipv4 is what the rest begins with; it is no answer to the question for A.
config prefer_behind.yaml

at 1s  client 192.0.2.10 asks hosts.example AAAA
       client has no answer
at +20ms upstream is asked hosts.example A
       upstream is not asked
       upstream answers hosts.example A empty soa 60 60
       client is answered hosts.example AAAA 2001:db8::1 ttl 10

       client 192.0.2.10 asks gone.example AAAA
       upstream is asked gone.example AAAA
       upstream answers gone.example AAAA nxdomain soa 60 60
at +20ms upstream is asked gone.example A
       upstream answers gone.example A nxdomain soa 60 60
       client is answered gone.example AAAA rcode nxdomain soa
       upstream is not asked
       sums hold

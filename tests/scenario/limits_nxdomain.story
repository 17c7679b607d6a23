# Random names below a domain are refused above the rate; cached answers and other domains are not.
config limits_nxdomain.yaml

at 0s    client 192.0.2.10 asks www.victim.example A
         upstream is asked www.victim.example A
         upstream answers www.victim.example A 203.0.113.1 ttl 300
         client is answered www.victim.example A 203.0.113.1 ttl 300
         client 192.0.2.10 asks a1.victim.example A
         upstream is asked a1.victim.example A
         upstream answers a1.victim.example A nxdomain
         client is answered a1.victim.example A rcode nxdomain
         client 198.51.100.10 asks a2.victim.example A
         upstream is asked a2.victim.example A
         upstream answers a2.victim.example A nxdomain
         client is answered a2.victim.example A rcode nxdomain
         client 192.0.2.10 asks a3.victim.example A edns
         upstream is not asked
         client is answered a3.victim.example A rcode refused ede 18
         client 192.0.2.10 asks www.victim.example A
         client is answered www.victim.example A 203.0.113.1 ttl 300
         client 192.0.2.10 asks b1.other.example A
         upstream is asked b1.other.example A
         upstream answers b1.other.example A nxdomain
         client is answered b1.other.example A rcode nxdomain
         verdict limited_refused is 1

at 2s    client 192.0.2.10 asks a4.victim.example A
         upstream is asked a4.victim.example A
         upstream answers a4.victim.example A 203.0.113.4 ttl 300
         client is answered a4.victim.example A 203.0.113.4 ttl 300
         sums hold

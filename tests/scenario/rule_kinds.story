# Rules without a prefix.
config rule_kinds.yaml
upstream serves there.example A 203.0.113.1 ttl 60
upstream serves www.hosts.example A 203.0.113.2 ttl 60
upstream serves www.redirect.example A 203.0.113.2 ttl 60
upstream serves www.bare.example A 203.0.113.2 ttl 60
upstream serves xset.example A 203.0.113.2 ttl 60
upstream serves alias.example A cname www.cname.example 203.0.113.3 ttl 60
upstream serves alias2.example A cname cname.example 203.0.113.3 ttl 60
upstream serves alias3.example A cname xcname.example 203.0.113.3 ttl 60

at 1s  client 192.0.2.10 asks set.example A
at +1ms client is answered set.example A rcode nxdomain
       client 192.0.2.10 asks www.set.example A
at +1ms client is answered www.set.example A rcode nxdomain
       client 192.0.2.10 asks xset.example A
at +1ms client is answered xset.example A 203.0.113.2
       client 192.0.2.10 asks a.b.qname.example A
at +1ms client is answered a.b.qname.example A rcode nxdomain
       client 192.0.2.10 asks bare.example A
at +1ms client is answered bare.example A rcode nxdomain
       client 192.0.2.10 asks www.bare.example A
at +1ms client is answered www.bare.example A 203.0.113.2
       client 192.0.2.10 asks www.wide.example A
at +1ms client is answered www.wide.example A rcode nxdomain

at 2s  client 192.0.2.10 asks hosts.example A
at +1ms client is answered hosts.example A 192.0.2.81
       client 192.0.2.10 asks www.hosts.example A
at +1ms client is answered www.hosts.example A 203.0.113.2
       client 192.0.2.10 asks www.below.example A
at +1ms client is answered www.below.example A 192.0.2.82
       client 192.0.2.10 asks redirect.example A
at +1ms client is answered redirect.example A cname there.example 203.0.113.1
       client 192.0.2.10 asks www.redirect.example A
at +1ms client is answered www.redirect.example A 203.0.113.2
       client 192.0.2.10 asks www.far.example A
at +1ms client is answered www.far.example A cname there.example 203.0.113.1

at 3s  client 192.0.2.10 asks alias.example A
at +1ms client is answered alias.example A rcode nxdomain
       client 192.0.2.10 asks alias2.example A
at +1ms client is answered alias2.example A rcode nxdomain
       client 192.0.2.10 asks alias3.example A
at +1ms client is answered alias3.example A cname xcname.example 203.0.113.3
       sums hold

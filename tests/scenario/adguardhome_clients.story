# An imported AdGuardHome.yaml: rules for everyone, a client without them, a client with upstreams of its own.
config ../import/clients.adguardhome.yaml

at 1s  client 192.0.2.99 asks www.ads.example A
       client is answered www.ads.example A rcode nxdomain soa
       client 192.0.2.99 asks good.ads.example A
       upstream is asked good.ads.example A
       upstream answers good.ads.example A 203.0.113.1 ttl 300
       client is answered good.ads.example A 203.0.113.1
       # Guest
       client 192.0.2.10 asks www.ads.example A
       upstream is asked www.ads.example A
       upstream answers www.ads.example A 203.0.113.2 ttl 300
       client is answered www.ads.example A 203.0.113.2
       # the shared cache has the answer, and the rule still counts
       client 192.0.2.99 asks www.ads.example A
       client is answered www.ads.example A rcode nxdomain soa
       # Lab has the rules of everyone, and another upstream
       client 192.0.2.2 asks www.ads.example A
       client is answered www.ads.example A rcode nxdomain soa
       client 192.0.2.66 asks www.example A
       client has no answer
       # rewrites
       client 192.0.2.10 asks a.apps.example A
       client is answered a.apps.example A 192.0.2.30
       client 192.0.2.10 asks web.apps.example A
       client is answered web.apps.example A 192.0.2.31
       client 192.0.2.10 asks nas.example A
       client is answered nas.example A 192.0.2.40
       client 192.0.2.10 asks apps.example A
       upstream is asked apps.example A
       upstream answers apps.example A 203.0.113.4 ttl 300
       client is answered apps.example A 203.0.113.4
       client 192.0.2.10 asks out.apps.example A
       upstream is asked out.apps.example A
       upstream answers out.apps.example A 203.0.113.5 ttl 300
       client is answered out.apps.example A 203.0.113.5
       client 192.0.2.10 asks a.mirror.example A
       upstream is asked www.target.example A
       upstream answers www.target.example A 203.0.113.6 ttl 300
       client is answered a.mirror.example A cname www.target.example 203.0.113.6

# The zone bypass of the documentation: own upstreams and cache, no DNS64, unchanged response codes.
config zone.yaml

at 1s  client 2001:db8:1::10 asks authentik.lumpiasty.example.homelab.lumpiasty.example A
       upstream 198.51.100.54 is asked authentik.lumpiasty.example.homelab.lumpiasty.example A
       upstream answers authentik.lumpiasty.example.homelab.lumpiasty.example A nxdomain soa 60 60
       client is answered authentik.lumpiasty.example.homelab.lumpiasty.example A rcode nxdomain soa ttl 60
       # from its own cache, with the same code
at 11s client 2001:db8:1::10 asks authentik.lumpiasty.example.homelab.lumpiasty.example A
       client is answered authentik.lumpiasty.example.homelab.lumpiasty.example A rcode nxdomain soa ttl 50
       upstream is not asked
       # existing AAAA records, and none if there are none
       client 2001:db8:1::10 asks git.lumpiasty.example AAAA
       upstream 198.51.100.54 is asked git.lumpiasty.example AAAA
       upstream is not asked
       upstream answers git.lumpiasty.example AAAA 2001:db8:9::1 ttl 300
       client is answered git.lumpiasty.example AAAA 2001:db8:9::1
       client 2001:db8:1::10 asks old.lumpiasty.example AAAA
       upstream 198.51.100.54 is asked old.lumpiasty.example AAAA
       upstream is not asked
       upstream answers old.lumpiasty.example AAAA empty soa 60 60
       client is answered old.lumpiasty.example AAAA rcode noerror soa
       # a zone may be one of .local
       client 2001:db8:1::10 asks nas.home.local A
       upstream 198.51.100.54 is asked nas.home.local A
       upstream answers nas.home.local A 192.168.88.10
       client is answered nas.home.local A 192.168.88.10

       # other names go through DNS64
       client 2001:db8:1::10 asks www.example AAAA
       upstream 198.51.100.53 is asked www.example AAAA
       upstream 198.51.100.53 is asked www.example A
       upstream answers www.example AAAA empty soa 60 60
       upstream answers www.example A 203.0.113.1 ttl 300
       client is answered www.example AAAA 64:ff9b::cb00:7101
       sums hold

# A stub such as glibc's finds every answer: CNAMEs in the order of the chain, before the addresses. The words `cname` of a
# client's answer are checked in the order of the records.
config walkable.yaml

       # the address comes first, the chain backwards
at 1s  client 192.0.2.10 asks shop.example A
       upstream answers shop.example A record edge.cdn.example A 203.0.113.77 record lb.example CNAME edge.cdn.example record shop.example CNAME lb.example ttl 60
       client is answered shop.example A 203.0.113.77 cname lb.example@60 cname edge.cdn.example@60
       stat upstream_reordered is 1
at 11s client 192.0.2.10 asks shop.example A
       client is answered shop.example A 203.0.113.77 cname lb.example@50 cname edge.cdn.example@50

       # a chain in order stays as it came
       client 192.0.2.10 asks right.example A
       upstream answers right.example A cname lb.example cname edge.cdn.example 203.0.113.79 ttl 60
       client is answered right.example A 203.0.113.79 cname lb.example cname edge.cdn.example
       stat upstream_reordered is 1

       # a DNAME without its CNAME gets one, with the DNAME's TTL (RFC 6672 3.4)
       client 192.0.2.10 asks www.moved.example A
       upstream answers www.moved.example A record moved.example DNAME place.example record www.place.example A 203.0.113.80 ttl 90
       client is answered www.moved.example A place.example 203.0.113.80 cname www.place.example@90
       stat upstream_reordered is 2

       # 16 links are passed on, 17 are SERVFAIL
       client 192.0.2.10 asks sixteen.example A edns
       upstream answers sixteen.example A cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example cname n16.example 203.0.113.81 ttl 60
       client is answered sixteen.example A 203.0.113.81 cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example cname n16.example
       client 192.0.2.10 asks seventeen.example A edns
       upstream answers seventeen.example A cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example cname n16.example cname n17.example 203.0.113.82 ttl 60
       client is answered seventeen.example A rcode servfail
       # an endless one, too
       client 192.0.2.10 asks www.endless.example A
       upstream answers www.endless.example A record endless.example DNAME more.endless.example ttl 60
       client is answered www.endless.example A rcode servfail

       # a redirect and a static CNAME are a link more
at 20s client 192.0.2.10 asks old.example A edns
       upstream answers target.example A record edge.example A 203.0.113.83 record target.example CNAME edge.example ttl 60
       client is answered old.example A 203.0.113.83 cname target.example@1 cname edge.example@60
       client 192.0.2.10 asks alias.example A edns
       upstream answers target.example A cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example 203.0.113.84 ttl 60
       client is answered alias.example A 203.0.113.84 cname target.example cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example
at 100s client 192.0.2.10 asks old.example A edns
       upstream answers target.example A cname n1.example cname n2.example cname n3.example cname n4.example cname n5.example cname n6.example cname n7.example cname n8.example cname n9.example cname n10.example cname n11.example cname n12.example cname n13.example cname n14.example cname n15.example cname n16.example 203.0.113.85 ttl 60
       client is answered old.example A rcode servfail

       # DNS64
at 110s client 2001:db8::10 asks www.six.example AAAA
       upstream answers www.six.example AAAA record c.six.example CNAME d.six.example record www.six.example CNAME c.six.example soa 60 60
       upstream answers www.six.example A record d.six.example A 203.0.113.86 record c.six.example CNAME d.six.example record www.six.example CNAME c.six.example ttl 60
       client is answered www.six.example AAAA 64:ff9b::cb00:7156 cname c.six.example cname d.six.example
       sums hold

# RFC 8482: a query of type ANY gets HINFO, from no cache and no upstream; records of the configuration come first.
config any.yaml

at 1s  client 192.0.2.10 asks www.example ANY
       client is answered www.example ANY RFC8482 ttl 3600
       client 192.0.2.10 asks www.example ANY edns
       client is answered www.example ANY RFC8482
       client 192.0.2.10 asks www.example ANY edns
       client is answered www.example ANY RFC8482
       client 192.0.2.10 asks blocked.example ANY
       client is answered blocked.example ANY rcode nxdomain
       client 192.0.2.10 asks www.onion ANY
       client is answered www.onion ANY rcode nxdomain soa
       client 192.0.2.10 asks localhost ANY
       client is answered localhost ANY RFC8482
       client 192.0.2.10 asks x.corp.example ANY
       client is answered x.corp.example ANY RFC8482
       # without RD it is refused like other types
       client 192.0.2.10 asks www.example ANY norec edns
       client is answered www.example ANY rcode refused ede 20
       upstream is not asked
       stat any_answered is 5
       stat cache_inserts is 1  # www.onion
       # HINFO itself is a type like others
       client 192.0.2.10 asks www.example HINFO
       upstream is asked www.example HINFO
       sums hold

# RFC 1034 4.3.1: a query without RD is not forwarded.
config norecurse.yaml

at 1s  client 192.0.2.10 asks www.example A norec edns
       client is answered www.example A rcode refused ede 20
       client 192.0.2.10 asks www.example A norec
       client is answered www.example A rcode refused
       verdict refused_norecurse is 2
       # local data has an answer, with AA
       client 192.0.2.10 asks nas.lan A norec edns
       client is answered nas.lan A 192.0.2.80 aa
       client 192.0.2.10 asks nas.lan TXT norec edns
       client is answered nas.lan TXT soa aa
       client 192.0.2.10 asks www.onion A norec edns
       client is answered www.onion A rcode nxdomain soa zone onion aa
       client 192.0.2.10 asks a.blocked.example A norec edns
       client is answered a.blocked.example A rcode nxdomain
       # an alias out of here has an end that is not here
       client 192.0.2.10 asks www.lan A norec edns
       client is answered www.lan A rcode refused ede 20
       # a zone has servers of its own
       client 192.0.2.10 asks x.corp.example A norec
       upstream 198.51.100.54 is asked x.corp.example A
       upstream answers x.corp.example A 203.0.113.5
       client is answered x.corp.example A 203.0.113.5
       upstream is not asked

       # now the cache has it: for those who may read it, not for others
at 2s  client 192.0.2.10 asks www.example A edns
       upstream is asked www.example A
       upstream answers www.example A 203.0.113.1 ttl 60
       client is answered www.example A 203.0.113.1
       client 192.0.2.10 asks www.example A edns
       client is answered www.example A 203.0.113.1
       client 192.0.2.10 asks www.example A edns
       client is answered www.example A 203.0.113.1
at 3s  client 192.0.2.10 asks www.example A norec edns
       client is answered www.example A rcode refused ede 20
       client 192.0.2.10 asks www.example A norec edns
       client is answered www.example A rcode refused ede 20
       client 192.0.2.20 asks www.example A norec edns
       client is answered www.example A 203.0.113.1 ttl 59 not aa
       client 192.0.2.20 asks other.example A norec edns
       client is answered other.example A rcode refused ede 20
       # such a query gets no stale answer, and starts no refresh
at 70s client 192.0.2.20 asks www.example A norec edns
       client is answered www.example A rcode refused ede 20
       upstream is not asked
       # a failure is no answer
       client 192.0.2.10 asks broken.example A
       upstream is asked broken.example A
       upstream answers broken.example A servfail
       client is answered broken.example A rcode servfail
       client 192.0.2.20 asks broken.example A norec edns
       client is answered broken.example A rcode refused ede 20
       # as with RD
       client 192.0.2.30 asks more.example A norec edns
       upstream is asked more.example A
       upstream answers more.example A 203.0.113.2
       client is answered more.example A 203.0.113.2
       client 192.0.2.30 asks more.example ANY norec edns
       client is answered more.example ANY RFC8482
       client 192.0.2.20 asks more.example ANY norec edns
       client is answered more.example ANY rcode refused ede 20
       upstream is not asked
       sums hold

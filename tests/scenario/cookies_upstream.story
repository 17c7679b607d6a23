# RFC 7873 5.3: cookies that we send to an upstream, and what its replies have to have.
config cookies_upstream.yaml

       # an upstream without cookies need not return one
at 1s  client 192.0.2.10 asks a.example A
       upstream is asked a.example A cookie client
       upstream answers a.example A 203.0.113.1
       client is answered a.example A 203.0.113.1

       # its server cookie is sent back
       client 192.0.2.10 asks b.example A
       upstream is asked b.example A cookie client
       upstream answers b.example A 203.0.113.2 cookie server
       client is answered b.example A 203.0.113.2
       client 192.0.2.10 asks c.example A
       upstream is asked c.example A cookie server
       upstream answers c.example A 203.0.113.3 cookie server
       client is answered c.example A 203.0.113.3

       # BADCOOKIE: once more with the new one
       client 192.0.2.10 asks d.example A
       upstream is asked d.example A cookie server
       upstream answers d.example A badcookie cookie server
       upstream is asked d.example A cookie server
       upstream answers d.example A 203.0.113.4 cookie server
       client is answered d.example A 203.0.113.4
       stat upstream_bad_cookies is 1
       stat upstream_failures is 0

       # another client's cookie is a forgery, which is no reply
       client 192.0.2.10 asks e.example A
       upstream is asked e.example A cookie server
       upstream answers e.example A 203.0.113.66 cookie wrong
       client has no answer
       stat upstream_cookie_mismatches is 1
       stat upstream_near_misses is 1
       stat upstream_suspected is 0
at 9s  client is answered e.example A rcode servfail

       # it stops to return cookies: over TCP, which this world lacks
at 10s client 192.0.2.10 asks f.example A
       upstream is asked f.example A cookie server
       upstream answers f.example A 203.0.113.66
       client has no answer
       stat upstream_cookie_mismatches is 2
       stat upstream_suspected is 1

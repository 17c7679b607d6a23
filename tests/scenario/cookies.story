# RFC 7873, 9018: a client that sends a cookie gets a server cookie, and proves its address with it.
config cookies.yaml
wall   2026-11-26 12:00:00

       # from an upstream, from the cache, by the packet cache: each reply has the cookie
at 1s  client 192.0.2.10 asks www.example A edns cookie new
       upstream answers www.example A 203.0.113.1 ttl 7200
       client is answered www.example A 203.0.113.1 cookie fresh
       stat cookies_client is 1
at 2s  client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie same
       client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie same
       client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie same
       stat cookies_valid is 3
       stat packet_cache_hits is 1..2

       # each client has its own: that of another one is not valid, and the reply has a new one
       client 192.0.2.11 asks www.example A edns cookie new
       client is answered www.example A 203.0.113.1 cookie fresh
       client 192.0.2.11 asks www.example A edns cookie 192.0.2.10
       client is answered www.example A 203.0.113.1 cookie same
       client 192.0.2.11 asks www.example A edns cookie forged
       client is answered www.example A 203.0.113.1 cookie same
       client 2001:db8::11 asks www.example A edns cookie new
       client is answered www.example A 203.0.113.1 cookie fresh
       client 2001:db8::11 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie same
       stat cookies_valid is 4
       stat cookies_client is 5

       # without a cookie, and with a malformed one
       client 192.0.2.10 asks www.example A edns
       client is answered www.example A 203.0.113.1 cookie none
       client 192.0.2.10 asks www.example A edns option 10:010203
       client is answered www.example A rcode formerr cookie none
       client 192.0.2.10 asks www.example A norec edns cookie kept
       client is answered www.example A rcode refused cookie same

       # replaced after half an hour, not valid after an hour
at 29m client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie same
at 31m client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie fresh
       stat cookies_valid is 7
at 93m client 192.0.2.10 asks www.example A edns cookie kept
       client is answered www.example A 203.0.113.1 cookie fresh
       stat cookies_valid is 7
       sums hold

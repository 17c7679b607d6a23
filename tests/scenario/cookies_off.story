# `cookies: off`: a cookie changes nothing, but a malformed one is an error.
config cookies_off.yaml

at 1s  client 192.0.2.10 asks www.example A edns cookie new
       upstream answers www.example A 203.0.113.1
       client is answered www.example A 203.0.113.1 cookie none
       client 192.0.2.10 asks www.example A edns cookie new
       client is answered www.example A 203.0.113.1 cookie none
       client 192.0.2.10 asks www.example A edns cookie new
       client is answered www.example A 203.0.113.1 cookie none
       client 192.0.2.10 asks www.example A edns option 10:01
       client is answered www.example A rcode formerr
       stat cookies_client is 0
       sums hold

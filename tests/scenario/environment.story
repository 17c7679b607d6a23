# Variables of the environment, which are read once.
config environment.yaml
environment SITE lab
environment PAIR a=b
environment EMPTY

at 1s  client 192.0.2.10 asks exists.example A
       client is answered exists.example A rcode nxdomain
       client 192.0.2.10 asks absent.example A
       client is answered absent.example A rcode yxdomain
       client 192.0.2.10 asks empty.example A
       client is answered empty.example A rcode nxdomain
       client 192.0.2.10 asks equal.example A
       client is answered equal.example A rcode yxdomain
       client 192.0.2.10 asks blank.example A
       client is answered blank.example A rcode yxdomain
       client 192.0.2.10 asks list.example A
       client is answered list.example A rcode yxdomain
       client 192.0.2.10 asks sign.example A
       client is answered sign.example A rcode yxdomain
       client 192.0.2.10 asks both.example A
       client is answered both.example A rcode yxdomain
       client 192.0.2.10 asks text.example A
       client is answered text.example A rcode yxdomain
       client 192.0.2.10 asks none.example A
       client is answered none.example A rcode yxdomain
       client 192.0.2.10 asks lab.example A
       client is answered lab.example A 192.0.2.9
       # the end without an answer
       client 192.0.2.10 asks other.example A
       client is answered other.example A
       upstream is not asked
       sums hold

# Where a query goes on after jump, goto, and return inside them; a cache wraps only the rest of its own sequence.
config jumps.yaml

       # the caller goes on, and what it does is not kept by the cache of the sequence that it jumped to
at 1s  client 192.0.2.66 asks www.caught.example A
       upstream is asked www.caught.example A
       upstream answers www.caught.example A 203.0.113.1 ttl 300
       client is answered www.caught.example A rcode nxdomain
       # also after a return
at 2s  client 192.0.2.10 asks www.caught.example A
       client is answered www.caught.example A 203.0.113.1 ttl 299
       upstream is not asked
       client 192.0.2.66 asks www.caught.example A
       client is answered www.caught.example A rcode nxdomain
       upstream is not asked

       # reject in it, and in a sequence that it executes, stops all callers
at 3s  client 192.0.2.66 asks kept.caught.example A
       client is answered kept.caught.example A rcode notimp
       # return in what it executes leaves both, and its caller goes on
       client 192.0.2.10 asks inner.caught.example A
       client is answered inner.caught.example A rcode formerr
       upstream is not asked

       # goto takes the place of the rest of its sequence; the sequence that jumped there goes on
at 4s  client 192.0.2.66 asks goto.caught.example A
       upstream is asked goto.caught.example A
       upstream answers goto.caught.example A 203.0.113.2 ttl 300
       client is answered goto.caught.example A rcode nxdomain
       client 192.0.2.10 asks goto.caught.example A
       client is answered goto.caught.example A 203.0.113.2 ttl 300
       upstream is not asked
       # return in it returns to that sequence
       client 192.0.2.66 asks back.goto.caught.example A
       client is answered back.goto.caught.example A rcode nxdomain
       upstream is not asked
       client 192.0.2.10 asks www.gone.example A
       upstream is asked www.gone.example A
       upstream answers www.gone.example A 203.0.113.3 ttl 300
       client is answered www.gone.example A 203.0.113.3 ttl 300
       # return in it has nowhere to go
       client 192.0.2.10 asks back.gone.example A
       client is answered back.gone.example A
       upstream is not asked
       sums hold

# any: forward resolves ANY like other types.
config any_forward.yaml

at 1s  client 192.0.2.10 asks www.example ANY
       upstream is asked www.example ANY
       upstream answers www.example ANY record www.example A 203.0.113.1 ttl 60
       client is answered www.example ANY 203.0.113.1
       client 192.0.2.10 asks www.example ANY
       client is answered www.example ANY 203.0.113.1
       upstream is not asked
       stat any_answered is 0
       sums hold

# any: refuse
config any_refuse.yaml

at 1s  client 192.0.2.10 asks www.example ANY edns
       client is answered www.example ANY rcode refused ede 21
       upstream is not asked
       sums hold

# drop_source_ports: queries from the ports of reflectors, and from those that were written, get no answer.
config source_ports.yaml

at 1s  client 192.0.2.10 asks a.example A port 19
       client 192.0.2.10 asks a.example A port 123
       client 192.0.2.10 asks a.example A port 1900
       client 192.0.2.10 asks a.example A port 11211
       client 2001:db8:1::10 asks a.example A port 5353
       upstream is not asked
       verdict drop_source_port is 5
       client 192.0.2.10 asks a.example A port 0
       verdict drop_bad_source is 1
       # other ports, below and above
       client 192.0.2.10 asks b.example A port 53
       upstream is asked b.example A
       client 192.0.2.10 asks c.example A port 124
       upstream is asked c.example A
       client 192.0.2.10 asks d.example A port 11212
       upstream is asked d.example A
at 2s  client 192.0.2.11 has no answer
       sums hold

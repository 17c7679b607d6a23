# aug/23/2026 08:15:00 by RouterOS 6.49.10
# what a router of years has gathered: forms old and new, and what cannot be carried over
/ip dns static remove [find]
:put "adding"
/ip dns set servers=9.9.9.9 query-total-timeout=2m vrf=wan1 shiny-new-thing=yes
/ip dns static add name=one.lan address=10.1.0.1; /ip dns static add name=two.lan address=10.1.0.2
/ip/dns/static/add name=three.lan address=10.1.0.3 comment="Caf\E9"
/ip/dns/static
add address=10.1.0.4 name=four.lan comment="over \
    two lines, with \${HOME} and \${x"
add address=10.1.0.5 name=\
    five.lan
add address=10.1.0.6 name=$host
add address=2001:db8::7 name=seven.lan
add address=10.1.0.8 name=*.eight.lan
add address=10.1.0 name=nine.lan
add cname=b.lan name=a.lan type=CNAME
add cname=a.lan name=b.lan type=CNAME
add address=10.1.0.10 regexp="(a)\\1"
add address=10.1.0.11 regexp=".*\\.Example\\.COM\$"
add name=ten.lan type=HINFO text=x
add forward-to=gone name=eleven.lan type=FWD
add forward-to=10.2.0.1,10.2.0.2 name=twelve.lan type=FWD
add mx-exchange=mail.lan mx-preference=70000 name=thirteen.lan type=MX
add address=10.1.0.14 name=fourteen.lan ttl=soon
add address=10.1.0.15 name=fifteen.lan colour=red
set 0 ttl=5m

# 2026-02-05 12:34:56 by RouterOS 7.16.1
# software id = ABCD-1234
#
# model = RB5009UG+S+
/interface bridge
add name=bridge
/ip dhcp-server option
add code=108 name=v6only value=0x00015180
/interface ethernet
set [ find default-name=ether1 ] comment="to the provider; do not touch"
/ip address
add address=192.168.88.1/24 comment=defconf interface=bridge network=\
    192.168.88.0
/ip dns
set address-list-extra-time=5m allow-remote-requests=yes cache-max-ttl=1d \
    cache-size=8192KiB max-concurrent-queries=200 \
    max-concurrent-tcp-sessions=40 max-udp-packet-size=4096 \
    mdns-repeat-ifaces=bridge,vlan20 query-server-timeout=1s500ms servers=\
    1.1.1.1,2606:4700:4700::1111,fe80::1%ether1
/ip dns adlist
add ssl-verify=no url=https://lists.example/hosts.txt
add comment="the small one" url=http://lists.example/small.txt
add disabled=yes url=https://lists.example/off.txt
add file=usb1/ads.txt
/ip dns forwarders
add dns-servers=10.8.0.1,ns.corp.example doh-servers=\
    https://doh.corp.example/dns-query name=corp verify-doh-cert=no
add disabled=yes dns-servers=10.9.0.1 name=old
/ip dns static
add address=192.168.88.10 comment="the \"big\" disk: 5\$ a month \\ year\3F" \
    name=nas.lan type=A
add address=fd00::10 name=nas.lan ttl=1h30m type=AAAA
add address=::ffff name=six.lan type=AAAA
add address=192.168.88.20 name=Printer.LAN ttl=5m
add cname=nas.lan name=www.lan type=CNAME
add mx-exchange=mail.lan mx-preference=10 name=lan type=MX
add name=lan ns=ns1.lan type=NS
add name=_ipp._tcp.lan srv-port=631 srv-priority=1 srv-target=printer.lan \
    srv-weight=5 type=SRV
add name=lan text="v=spf1 ip4:192.168.88.0/24 -all" type=TXT
add match-subdomain=yes name=tracker.example type=NXDOMAIN
add address-list=vpn forward-to=corp match-subdomain=yes name=corp.example \
    type=FWD
add forward-to=10.8.0.2 name=intranet.example type=FWD
add match-subdomain=yes name=good.ads.example type=FWD
add address-list="media & more" match-subdomain=yes name=media.example \
    type=FWD
add address=10.0.0.2 regexp="^ad[0-9]+\\.tracker\\.example\$"
add address=10.0.0.3 regexp="[*mikrotik*]" ttl=1w
add address=10.0.0.99 disabled=yes name=off.lan type=A
/system clock
set time-zone-name=Europe/Riga
/system script
add name=hello source=":put \"a \$x\"\r\
    \n:put 2"

# 2026-02-05 12:34:56 by RouterOS 8.1
/ip dns
set allow-remote-requests=yes use-doh-server=https://dns.example/dns-query \
    verify-doh-cert=yes
/ip dns static
add address=192.0.2.53 name=dns.example type=A

# 2026-02-05 12:34:56 by RouterOS 7.20
/ip dns
set max-concurrent-queries=150 doh-max-concurrent-queries=80 doh-max-server-connections=8 doh-timeout=3s \
    servers=9.9.9.9,149.112.112.112 use-doh-server=\
    https://dns.example/dns-query

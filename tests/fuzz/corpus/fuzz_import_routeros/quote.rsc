# 2026-02-05 by RouterOS 7.16
/ip dns static
add name=a.lan address=10.0.0.1 comment="no end
add name=b.lan address=10.0.0.2

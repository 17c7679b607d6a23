# RFC 8914: the reason of an upstream that is trusted reaches clients, also from the cache of failures.
config trusted_reason.yaml

       # 7: signature expired
at 1s  client 192.0.2.10 asks bad.example A edns
       upstream 198.51.100.53 is asked bad.example A
       upstream 198.51.100.53 answers bad.example A servfail option 15:0007
       client is answered bad.example A rcode servfail ede 7
at 3s  client 192.0.2.11 asks bad.example A edns
       client is answered bad.example A rcode servfail ede 7
       upstream is not asked

       # one without a reason
       client 192.0.2.11 asks failed.example A edns
       upstream 198.51.100.53 answers failed.example A servfail
       client is answered failed.example A rcode servfail ede none

       # that of an upstream which is not trusted stays here
       client 192.0.2.11 asks www.other.example A edns
       upstream 198.51.100.54 answers www.other.example A servfail option 15:0007
       client is answered www.other.example A rcode servfail ede none
at 4s  client 192.0.2.11 asks www.other.example A edns
       client is answered www.other.example A rcode servfail ede 13

       # validated, and not
       client 192.0.2.10 asks www.example A ad
       upstream 198.51.100.53 answers www.example A 203.0.113.1 ad
       client is answered www.example A 203.0.113.1 ad
       client 192.0.2.10 asks forged.other.example A ad
       upstream 198.51.100.54 answers forged.other.example A 203.0.113.2 ad
       client is answered forged.other.example A 203.0.113.2 not ad
       sums hold

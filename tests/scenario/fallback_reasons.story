# A fallback uses its secondary if the primary is late, ends with an error or has no response; each reason can be switched
# off. Then the end of the primary is the end, and a late one is waited for.
config fallback_reasons.yaml

       # fallback_on_timeout: false: the primary is waited for, and no one else is asked
at 1s  client 192.0.2.10 asks www.patient.example A
       upstream 198.51.100.53 is asked www.patient.example A
at 1900ms client has no answer
       upstream 198.51.100.54 is not asked
       upstream 198.51.100.53 answers www.patient.example A 203.0.113.1 ttl 300
       client is answered www.patient.example A 203.0.113.1
       upstream was asked www.patient.example A
       stat fallback_secondary is 0
       # ... but its error counts
at 10s client 192.0.2.10 asks mail.patient.example A
at 15100ms upstream 198.51.100.54 is asked mail.patient.example A
       upstream 198.51.100.54 answers mail.patient.example A 203.0.113.2 ttl 300
       client is answered mail.patient.example A 203.0.113.2
       stat fallback_secondary is 1
       upstream was asked mail.patient.example A

       # the answer of a standby is kept until then
at 20s client 192.0.2.10 asks www.standby.example A
       upstream 198.51.100.54 is asked www.standby.example A
       upstream 198.51.100.54 answers www.standby.example A 203.0.113.3 ttl 300
at 24s client has no answer
at 25100ms client is answered www.standby.example A 203.0.113.3
       upstream was asked www.standby.example A

       # fallback_on_error: false: the error is the answer
at 30s client 192.0.2.10 asks www.error.example A
at 35120ms client is answered www.error.example A rcode servfail
       upstream was asked www.error.example A
       upstream 198.51.100.54 is not asked
       # ... unless the primary was late before
at 40s client 192.0.2.10 asks www.late.example A
at 40104ms upstream 198.51.100.54 is asked www.late.example A
at 41500ms client has no answer
       upstream 198.51.100.54 answers www.late.example A 203.0.113.4 ttl 300
       client is answered www.late.example A 203.0.113.4
       upstream was asked www.late.example A

       # fallback_on_no_response: false: the program goes on
at 50s client 192.0.2.10 asks www.empty.example A
       upstream 198.51.100.55 is asked www.empty.example A
       upstream 198.51.100.54 is not asked
       upstream 198.51.100.55 answers www.empty.example A 203.0.113.5 ttl 300
       client is answered www.empty.example A 203.0.113.5

       # black_hole servfail, as the secondary and in a rule
       client 192.0.2.10 asks www.closed.example A
       client is answered www.closed.example A rcode servfail
       client 192.0.2.10 asks www.hole.example AAAA
       client is answered www.hole.example AAAA rcode servfail
       upstream is not asked
at 60s sums hold

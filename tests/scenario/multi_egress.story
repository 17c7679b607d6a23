# The second example configuration, as it is: the lists stand behind the forward.
config ../../configs/multi_egress.yaml

at 1s  client 192.0.2.10 asks media.example A
       upstream answers media.example A 203.0.113.30 ttl 300
       client is answered media.example A 203.0.113.30 ttl 300
at +5ms router 172.16.1.1:8728 has row policy_media_v4 203.0.113.30 timeout 325..330
       router 172.16.1.1:8728 has 0 rows in policy_backup_v4
       client 192.0.2.10 asks www.backup.example A
       upstream answers www.backup.example A 203.0.113.40 ttl 300
       client is answered www.backup.example A 203.0.113.40
at +5ms router 172.16.1.1:8728 has row policy_backup_v4 203.0.113.40
       client 192.0.2.10 asks other.example A
       upstream answers other.example A 203.0.113.50 ttl 300
       client is answered other.example A 203.0.113.50
at +50ms router 172.16.1.1:8728 has 1 rows in policy_media_v4
       router 172.16.1.1:8728 has 1 rows in policy_backup_v4
       sums hold

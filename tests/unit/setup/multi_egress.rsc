# For the routers of "configs/multi_egress.yaml": RouterOS 7 commands, by steerdnsd --routeros-setup (docs/guides/routers.md).
# A block for each router, and one that undoes it. Keep a copy of what is there first: /export file=before-steerdns
# RouterOS 6: there is no /routing table (leave it out), a route says routing-mark= for routing-table=, and no mark
# routes IPv6 (leave out what is in /ipv6).

# ==== router "172.16.1.1:8728": set up
# Paste it from the first brace to the last. The last line prints what was done. If that line is missing, a command
# was refused and the block stopped there: remove the cause and paste the whole block again; nothing is done twice.
# To change a value, undo first.
{
# -- Fill in
# Where clients ask for names: steerdnsd's address; empty: DHCP stays as it is
:local dnsAddress4 ""
# The same for IPv6; empty: router advertisements stay as they are
:local dnsAddress6 ""
# Where steerdnsd comes from, as this router sees it; with commas, other users of its API
:local apiClient $dnsAddress4
# The password that the configuration has for the API's user "api-user"
:local apiPassword1 ""
# Next hop for connections to "policy_media_v4" (IPv4): an address, or the name of a tunnel
:local gateway1v4 ""
# Next hop for connections to "policy_backup_v4" (IPv4): an address, or the name of a tunnel
:local gateway2v4 ""
# The interface list by which clients come in
:local clientInterfaces "LAN"
# DHCP networks whose clients shall ask steerdnsd; for one of them: [/ip dhcp-server network find where address="192.168.88.0/24"]
:local dhcpNetworks [/ip dhcp-server network find]
# The same for router advertisements; for one interface: [/ipv6 nd find where interface=bridge]
:local advertisements [/ipv6 nd find]
# -- Nothing is done before that
:if ([:len $apiClient] = 0) do={ :error "steerdns: dnsAddress4 or apiClient is missing" }
:if ([:len $apiPassword1] = 0) do={ :error "steerdns: apiPassword1 is missing" }
:if ([:len [/user find where name="api-user"]] > [:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]]) do={ :error "steerdns: there is a user api-user that was not made here: remove it, or take another" }
:if ([:len $gateway1v4] = 0) do={ :error "steerdns: gateway1v4 is missing" }
:if ([:len $gateway2v4] = 0) do={ :error "steerdns: gateway2v4 is missing" }
:if ([:len [/interface list find where name=$clientInterfaces]] = 0) do={ :error "steerdns: there is no such interface list as clientInterfaces says" }
:local rowsAdded 0
:local rowsChanged 0
# -- The least rights that keeping address lists takes
:if ([:len [/user group find where name="steerdns"]] = 0) do={
    /user group add name="steerdns" policy=read,write,api
    :set rowsAdded ($rowsAdded + 1)
}
# -- A user with them, who comes from our address only
:if ([:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]] = 0) do={
    /user add name="api-user" group="steerdns" password=$apiPassword1 address=$apiClient comment="steerdns: keeps address lists"
    :set rowsAdded ($rowsAdded + 1)
}
# -- The API, open to our address only
:foreach row in=[/ip service find where name="api"] do={
    :local now [/ip service get $row]
    :if ([:tostr ($now->"dynamic")] != "true") do={
        :if ([:len [/system script find where name="steerdns-before-api"]] = 0) do={
            :local wasDisabled "no"
            :if ([:tostr ($now->"disabled")] = "true") do={ :set wasDisabled "yes" }
            :local openTo ($now->"available-from")
            :if ([:len $openTo] = 0) do={ :set openTo ($now->"address") }
            :local joined ""
            :foreach item in=$openTo do={
                :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
                :set joined ($joined . $item)
            }
            /system script add name="steerdns-before-api" comment="steerdns: what /ip service api was, for the undo" source=("disabled=" . $wasDisabled . " address=" . $joined)
            :set rowsChanged ($rowsChanged + 1)
        }
        /ip service set $row disabled=no address=$apiClient
    }
}
# -- Egress "policy_media": its routing table
:if ([:len [/routing table find where comment="steerdns: policy_media"]] = 0) do={
    /routing table add name="steerdns-policy_media" fib comment="steerdns: policy_media"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Where its IPv4 goes
:if ([:len [/ip route find where comment="steerdns: policy_media"]] = 0) do={
    /ip route add dst-address=0.0.0.0/0 gateway=$gateway1v4 routing-table="steerdns-policy_media" comment="steerdns: policy_media"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Egress "policy_backup": its routing table
:if ([:len [/routing table find where comment="steerdns: policy_backup"]] = 0) do={
    /routing table add name="steerdns-policy_backup" fib comment="steerdns: policy_backup"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Where its IPv4 goes
:if ([:len [/ip route find where comment="steerdns: policy_backup"]] = 0) do={
    /ip route add dst-address=0.0.0.0/0 gateway=$gateway2v4 routing-table="steerdns-policy_backup" comment="steerdns: policy_backup"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Fasttracked connections pass mangle by, so marked ones must not be (IPv4)
:foreach row in=[/ip firewall filter find where action=fasttrack-connection] do={
    :local note [:tostr [/ip firewall filter get $row comment]]
    :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
        :if ([:len [/ip firewall filter get $row connection-mark]] = 0) do={
            /ip firewall filter set $row connection-mark=no-mark comment=($note . " steerdns-was=")
            :set rowsChanged ($rowsChanged + 1)
        }
    }
}
# -- A new connection to an address of the list is marked
:if ([:len [/ip firewall mangle find where comment="steerdns: connections to policy_media_v4"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local dst-address-list="policy_media_v4" connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark="steerdns-policy_media" passthrough=yes comment="steerdns: connections to policy_media_v4"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Its mark chooses the table, for what clients send
:if ([:len [/ip firewall mangle find where comment="steerdns: route of policy_media"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local connection-mark="steerdns-policy_media" action=mark-routing new-routing-mark="steerdns-policy_media" passthrough=no comment="steerdns: route of policy_media"
    :set rowsAdded ($rowsAdded + 1)
}
# -- A new connection to an address of the list is marked
:if ([:len [/ip firewall mangle find where comment="steerdns: connections to policy_backup_v4"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local dst-address-list="policy_backup_v4" connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark="steerdns-policy_backup" passthrough=yes comment="steerdns: connections to policy_backup_v4"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Its mark chooses the table, for what clients send
:if ([:len [/ip firewall mangle find where comment="steerdns: route of policy_backup"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local connection-mark="steerdns-policy_backup" action=mark-routing new-routing-mark="steerdns-policy_backup" passthrough=no comment="steerdns: route of policy_backup"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Clients ask us: DHCP
:if ([:len $dnsAddress4] > 0) do={
    :foreach row in=$dhcpNetworks do={
        :local note [:tostr [/ip dhcp-server network get $row comment]]
        :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
            :local joined ""
            :foreach item in=[/ip dhcp-server network get $row dns-server] do={
                :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
                :set joined ($joined . $item)
            }
            /ip dhcp-server network set $row dns-server=$dnsAddress4 comment=($note . " steerdns-was=" . $joined)
            :set rowsChanged ($rowsChanged + 1)
        }
    }
}
# -- Clients ask us: router advertisements (RFC 8106)
:if ([:len $dnsAddress6] > 0) do={
    :foreach row in=$advertisements do={
        :local note [:tostr [/ipv6 nd get $row comment]]
        :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
            :local advertised [:tostr [/ipv6 nd get $row advertise-dns]]
            :if ($advertised = "true") do={ :set advertised "yes" }
            :if ($advertised = "false") do={ :set advertised "no" }
            :local joined ""
            :foreach item in=[/ipv6 nd get $row dns] do={
                :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
                :set joined ($joined . $item)
            }
            /ipv6 nd set $row advertise-dns=yes dns=$dnsAddress6 comment=($note . " steerdns-was=" . $advertised . "," . $joined)
            :set rowsChanged ($rowsChanged + 1)
        }
    }
}
:put ("steerdns: set up to the end; rows added: " . $rowsAdded . ", rows changed: " . $rowsChanged)
}

# ==== router "172.16.1.1:8728": undo
# Takes back what the block above did, also if that stopped half-way, last thing first, if it says yes here.
{
:local undo "no"
:if ($undo != "yes") do={ :error "steerdns: this is the undo, and undo is not yes" }
:local rowsRemoved 0
:local rowsPutBack 0
:foreach row in=[/ipv6 nd find where comment~" steerdns-was="] do={
    :local note [/ipv6 nd get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    :local comma [:find $was ","]
    /ipv6 nd set $row advertise-dns=[:pick $was 0 $comma] dns=[:tostr [:pick $was ($comma + 1) [:len $was]]] comment=[:tostr [:pick $note 0 $at]]
    :set rowsPutBack ($rowsPutBack + 1)
}
:foreach row in=[/ip dhcp-server network find where comment~" steerdns-was="] do={
    :local note [/ip dhcp-server network get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ip dhcp-server network set $row dns-server=$was comment=[:tostr [:pick $note 0 $at]]
    :set rowsPutBack ($rowsPutBack + 1)
}
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: route of policy_backup"]])
/ip firewall mangle remove [find where comment="steerdns: route of policy_backup"]
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: connections to policy_backup_v4"]])
/ip firewall mangle remove [find where comment="steerdns: connections to policy_backup_v4"]
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: route of policy_media"]])
/ip firewall mangle remove [find where comment="steerdns: route of policy_media"]
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: connections to policy_media_v4"]])
/ip firewall mangle remove [find where comment="steerdns: connections to policy_media_v4"]
:foreach row in=[/ip firewall filter find where comment~" steerdns-was="] do={
    :local note [/ip firewall filter get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ip firewall filter set $row !connection-mark comment=[:tostr [:pick $note 0 $at]]
    :set rowsPutBack ($rowsPutBack + 1)
}
:set rowsRemoved ($rowsRemoved + [:len [/ip route find where comment="steerdns: policy_backup"]])
/ip route remove [find where comment="steerdns: policy_backup"]
:set rowsRemoved ($rowsRemoved + [:len [/routing table find where comment="steerdns: policy_backup"]])
/routing table remove [find where comment="steerdns: policy_backup"]
:set rowsRemoved ($rowsRemoved + [:len [/ip route find where comment="steerdns: policy_media"]])
/ip route remove [find where comment="steerdns: policy_media"]
:set rowsRemoved ($rowsRemoved + [:len [/routing table find where comment="steerdns: policy_media"]])
/routing table remove [find where comment="steerdns: policy_media"]
:foreach script in=[/system script find where name="steerdns-before-api"] do={
    :local was [/system script get $script source]
    :local at [:find $was " address="]
    :local wasDisabled [:pick $was 9 $at]
    :local openTo [:tostr [:pick $was ($at + 9) [:len $was]]]
    :foreach row in=[/ip service find where name="api"] do={
        :local now [/ip service get $row]
        :if ([:tostr ($now->"dynamic")] != "true") do={
            :if (($wasDisabled . $openTo) = "no") do={
                :put "steerdns: /ip service api was on, and it was open to everybody or what it was open to could not be read: it stays open to what it says now"
            }
            :if (($wasDisabled . $openTo) != "no") do={
                /ip service set $row disabled=$wasDisabled address=$openTo
                :set rowsPutBack ($rowsPutBack + 1)
            }
        }
    }
    /system script remove $script
}
:set rowsRemoved ($rowsRemoved + [:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]])
/user remove [find where name="api-user" and comment="steerdns: keeps address lists"]
:set rowsRemoved ($rowsRemoved + [:len [/user group find where name="steerdns"]])
/user group remove [find where name="steerdns"]
:put ("steerdns: undone to the end; rows removed: " . $rowsRemoved . ", rows put back: " . $rowsPutBack)
}

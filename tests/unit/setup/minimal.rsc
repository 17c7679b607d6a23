# For the routers of "configs/minimal.yaml": RouterOS 7 commands, by steerdnsd --routeros-setup (docs/routeros.md).
# A block for each router, and one that undoes it. Keep a copy of what is there first: /export file=before-steerdns
# RouterOS 6: there is no /routing table (leave it out), a route says routing-mark= for routing-table=, and no mark
# routes IPv6 (leave out what is in /ipv6).

# ==== router "172.16.1.1:8728": set up
# From the first brace to the last. Pasted again it adds nothing twice; to change a value, undo first.
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
# Next hop for connections to "policy_set_v4" (IPv4): an address, or the name of a tunnel
:local gateway1v4 ""
# Next hop for connections to "policy_set_v6" (IPv6): an address, or the name of a tunnel
:local gateway1v6 ""
# The interface list by which clients come in
:local clientInterfaces "LAN"
# DHCP networks whose clients shall ask steerdnsd; for one of them: [/ip dhcp-server network find where address=192.168.88.0/24]
:local dhcpNetworks [/ip dhcp-server network find]
# The same for router advertisements; for one interface: [/ipv6 nd find where interface=bridge]
:local advertisements [/ipv6 nd find]
# -- Nothing is done before that
:if ([:len $apiClient] = 0) do={ :error "steerdns: dnsAddress4 or apiClient is missing" }
:if ([:len $apiPassword1] = 0) do={ :error "steerdns: apiPassword1 is missing" }
:if ([:len [/user find where name="api-user"]] > [:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]]) do={ :error "steerdns: there is a user api-user that was not made here: remove it, or take another" }
:if ([:len $gateway1v4] = 0) do={ :error "steerdns: gateway1v4 is missing" }
:if ([:len $gateway1v6] = 0) do={ :error "steerdns: gateway1v6 is missing" }
:if ([:len [/interface list find where name=$clientInterfaces]] = 0) do={ :error "steerdns: there is no such interface list as clientInterfaces says" }
# -- The least rights that keeping address lists takes
:if ([:len [/user group find where name="steerdns"]] = 0) do={
    /user group add name="steerdns" policy=read,write,api
}
# -- A user with them, who comes from our address only
:if ([:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]] = 0) do={
    /user add name="api-user" group="steerdns" password=$apiPassword1 address=$apiClient comment="steerdns: keeps address lists"
}
# -- The API, open to our address only
:if ([:len [/system script find where name="steerdns-before-api"]] = 0) do={
    :local wasDisabled "no"
    :if ([/ip service get api disabled]) do={ :set wasDisabled "yes" }
    :local joined ""
    :foreach item in=[/ip service get api address] do={
        :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
        :set joined ($joined . $item)
    }
    /system script add name="steerdns-before-api" comment="steerdns: what /ip service api was, for the undo" source=("disabled=" . $wasDisabled . " address=" . $joined)
}
/ip service set api disabled=no address=$apiClient
# -- Egress "policy_set": its routing table
:if ([:len [/routing table find where comment="steerdns: policy_set"]] = 0) do={
    /routing table add name="steerdns-policy_set" fib comment="steerdns: policy_set"
}
# -- Where its IPv4 goes
:if ([:len [/ip route find where comment="steerdns: policy_set"]] = 0) do={
    /ip route add dst-address=0.0.0.0/0 gateway=$gateway1v4 routing-table="steerdns-policy_set" comment="steerdns: policy_set"
}
# -- Where its IPv6 goes
:if ([:len [/ipv6 route find where comment="steerdns: policy_set"]] = 0) do={
    /ipv6 route add dst-address=::/0 gateway=$gateway1v6 routing-table="steerdns-policy_set" comment="steerdns: policy_set"
}
# -- Fasttracked connections pass mangle by, so marked ones must not be (IPv4)
:foreach row in=[/ip firewall filter find where action=fasttrack-connection] do={
    :local note [:tostr [/ip firewall filter get $row comment]]
    :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
        :if ([:len [/ip firewall filter get $row connection-mark]] = 0) do={
            /ip firewall filter set $row connection-mark=no-mark comment=($note . " steerdns-was=")
        }
    }
}
# -- Fasttracked connections pass mangle by, so marked ones must not be (IPv6; RouterOS 7.18)
:foreach row in=[/ipv6 firewall filter find where action=fasttrack-connection] do={
    :local note [:tostr [/ipv6 firewall filter get $row comment]]
    :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
        :if ([:len [/ipv6 firewall filter get $row connection-mark]] = 0) do={
            /ipv6 firewall filter set $row connection-mark=no-mark comment=($note . " steerdns-was=")
        }
    }
}
# -- A new connection to an address of the list is marked
:if ([:len [/ip firewall mangle find where comment="steerdns: connections to policy_set_v4"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-list="policy_set_v4" connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark="steerdns-policy_set" passthrough=yes comment="steerdns: connections to policy_set_v4"
}
# -- Its mark chooses the table, for what clients send
:if ([:len [/ip firewall mangle find where comment="steerdns: route of policy_set"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces connection-mark="steerdns-policy_set" action=mark-routing new-routing-mark="steerdns-policy_set" passthrough=no comment="steerdns: route of policy_set"
}
# -- A new connection to an address of the list is marked
:if ([:len [/ipv6 firewall mangle find where comment="steerdns: connections to policy_set_v6"]] = 0) do={
    /ipv6 firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-list="policy_set_v6" connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark="steerdns-policy_set" passthrough=yes comment="steerdns: connections to policy_set_v6"
}
# -- Its mark chooses the table, for what clients send
:if ([:len [/ipv6 firewall mangle find where comment="steerdns: route of policy_set"]] = 0) do={
    /ipv6 firewall mangle add chain=prerouting in-interface-list=$clientInterfaces connection-mark="steerdns-policy_set" action=mark-routing new-routing-mark="steerdns-policy_set" passthrough=no comment="steerdns: route of policy_set"
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
        }
    }
}
# -- Clients ask us: router advertisements (RFC 8106)
:if ([:len $dnsAddress6] > 0) do={
    :foreach row in=$advertisements do={
        :local note [:tostr [/ipv6 nd get $row comment]]
        :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
            :local advertised "no"
            :if ([/ipv6 nd get $row advertise-dns]) do={ :set advertised "yes" }
            :local joined ""
            :foreach item in=[/ipv6 nd get $row dns] do={
                :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
                :set joined ($joined . $item)
            }
            /ipv6 nd set $row advertise-dns=yes dns=$dnsAddress6 comment=($note . " steerdns-was=" . $advertised . "," . $joined)
        }
    }
}
}

# ==== router "172.16.1.1:8728": undo
# Takes back what the block above did, last thing first, if it says yes here.
{
:local undo "no"
:if ($undo != "yes") do={ :error "steerdns: this is the undo, and undo is not yes" }
:foreach row in=[/ipv6 nd find where comment~" steerdns-was="] do={
    :local note [/ipv6 nd get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    :local comma [:find $was ","]
    /ipv6 nd set $row advertise-dns=[:pick $was 0 $comma] dns=[:tostr [:pick $was ($comma + 1) [:len $was]]] comment=[:tostr [:pick $note 0 $at]]
}
:foreach row in=[/ip dhcp-server network find where comment~" steerdns-was="] do={
    :local note [/ip dhcp-server network get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ip dhcp-server network set $row dns-server=$was comment=[:tostr [:pick $note 0 $at]]
}
/ipv6 firewall mangle remove [find where comment="steerdns: route of policy_set"]
/ipv6 firewall mangle remove [find where comment="steerdns: connections to policy_set_v6"]
/ip firewall mangle remove [find where comment="steerdns: route of policy_set"]
/ip firewall mangle remove [find where comment="steerdns: connections to policy_set_v4"]
:foreach row in=[/ipv6 firewall filter find where comment~" steerdns-was="] do={
    :local note [/ipv6 firewall filter get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ipv6 firewall filter set $row !connection-mark comment=[:tostr [:pick $note 0 $at]]
}
:foreach row in=[/ip firewall filter find where comment~" steerdns-was="] do={
    :local note [/ip firewall filter get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ip firewall filter set $row !connection-mark comment=[:tostr [:pick $note 0 $at]]
}
/ipv6 route remove [find where comment="steerdns: policy_set"]
/ip route remove [find where comment="steerdns: policy_set"]
/routing table remove [find where comment="steerdns: policy_set"]
:foreach script in=[/system script find where name="steerdns-before-api"] do={
    :local was [/system script get $script source]
    :local at [:find $was " address="]
    /ip service set api disabled=[:pick $was 9 $at] address=[:tostr [:pick $was ($at + 9) [:len $was]]]
    /system script remove $script
}
/user remove [find where name="api-user" and comment="steerdns: keeps address lists"]
/user group remove [find where name="steerdns"]
}

# RouterOS 7 commands for the routers of "tests/unit/setup/routes.yaml", made by steerdnsd --routeros-setup (docs/guides/routers.md).
# Each router has two blocks: the setup and its undo. Back up the router first: /export file=before-steerdns
# For RouterOS 6, add --routeros-6.

# ==== router "172.16.1.1:8728": set up
# Fill in the values. Then paste from the first brace to the last. The last line prints a summary.
# If that line is missing, a command failed, and the block stopped there. Fix the cause, and paste the
# whole block again: it skips what is done already. To change a value later, undo first.
# Needs RouterOS 7.1 or newer: /routing/table
# Fasttrack ignores routing rules: connections that take a route of ros_route must not be fasttracked
# (docs/guides/routers.md, "Routes instead of lists")
{
# -- Fill in
# IPv4 address of steerdnsd, the DNS server of clients; empty: DHCP stays unchanged
:local dnsAddress4 ""
# IPv6 address of steerdnsd; empty: router advertisements stay unchanged
:local dnsAddress6 ""
# Source address of steerdnsd's API connections; add other API clients after a comma
:local apiClient $dnsAddress4
# Password of the API user "api-user", as in the configuration
:local apiPassword1 ""
# Next hop for connections to "policy_set_v4" (IPv4): an address, or the name of a tunnel
:local gateway1v4 ""
# Interface list of the interfaces to your clients
:local clientInterfaces "LAN"
# DHCP networks that announce steerdnsd as the DNS server; for one network: [/ip dhcp-server network find where address="192.168.88.0/24"]
:local dhcpNetworks [/ip dhcp-server network find]
# Router advertisements that announce steerdnsd; for one interface: [/ipv6 nd find where interface=bridge]
:local advertisements [/ipv6 nd find]
# -- Checks: the block stops here if one fails
:if ([:pick [/system resource get version] 0 2] = "6.") do={ :error "steerdns: this router runs RouterOS 6: print the commands with --routeros-6" }
:if ([:len $apiClient] = 0) do={ :error "steerdns: dnsAddress4 or apiClient is missing: fill it in" }
:if ([:len $apiPassword1] = 0) do={ :error "steerdns: apiPassword1 is missing: fill it in" }
:if ([:len [/user find where name="api-user"]] > [:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]]) do={ :error "steerdns: user api-user exists, but this script did not create it: remove it, or configure another username" }
:if ([:len $gateway1v4] = 0) do={ :error "steerdns: gateway1v4 is missing: fill it in" }
:if ([:len [/interface list find where name=$clientInterfaces]] = 0) do={ :error "steerdns: the interface list in clientInterfaces does not exist: create it, or name another" }
:local rowsAdded 0
:local rowsChanged 0
# -- User group with the rights to write address lists
:if ([:len [/user group find where name="steerdns"]] = 0) do={
    /user group add name="steerdns" policy=read,write,api
    :set rowsAdded ($rowsAdded + 1)
}
# -- User of this group; logs in only from apiClient
:if ([:len [/user find where name="api-user" and comment="steerdns: keeps address lists"]] = 0) do={
    /user add name="api-user" group="steerdns" password=$apiPassword1 address=$apiClient comment="steerdns: keeps address lists"
    :set rowsAdded ($rowsAdded + 1)
}
# -- API service, open only to apiClient
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
# -- Egress "policy_set": routing table
:if ([:len [/routing table find where comment="steerdns: policy_set"]] = 0) do={
    /routing table add name="steerdns-policy_set" fib comment="steerdns: policy_set"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Egress "policy_set": default route for IPv4
:if ([:len [/ip route find where comment="steerdns: policy_set"]] = 0) do={
    /ip route add dst-address=0.0.0.0/0 gateway=$gateway1v4 routing-table="steerdns-policy_set" comment="steerdns: policy_set"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Routing table "vpn" for routes to addresses
:if ([:len [/routing table find where name="vpn"]] = 0) do={
    /routing table add name="vpn" fib comment="steerdns: routes in vpn"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Look up all packets in it first
:if ([:len [/routing rule find where comment="steerdns: routes in vpn"]] = 0) do={
    /routing rule add action=lookup table="vpn" comment="steerdns: routes in vpn"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Exclude marked connections from fasttrack, which skips mangle rules (IPv4)
:foreach row in=[/ip firewall filter find where action=fasttrack-connection] do={
    :local note [:tostr [/ip firewall filter get $row comment]]
    :if ([:typeof [:find $note " steerdns-was="]] = "nil") do={
        :if ([:len [/ip firewall filter get $row connection-mark]] = 0) do={
            /ip firewall filter set $row connection-mark=no-mark comment=($note . " steerdns-was=")
            :set rowsChanged ($rowsChanged + 1)
        }
    }
}
# -- Mark new connections to "policy_set_v4"
:if ([:len [/ip firewall mangle find where comment="steerdns: connections to policy_set_v4"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local dst-address-list="policy_set_v4" connection-state=new connection-mark=no-mark action=mark-connection new-connection-mark="steerdns-policy_set" passthrough=yes comment="steerdns: connections to policy_set_v4"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Route marked packets of clients: egress "policy_set"
:if ([:len [/ip firewall mangle find where comment="steerdns: route of policy_set"]] = 0) do={
    /ip firewall mangle add chain=prerouting in-interface-list=$clientInterfaces dst-address-type=!local connection-mark="steerdns-policy_set" action=mark-routing new-routing-mark="steerdns-policy_set" passthrough=no comment="steerdns: route of policy_set"
    :set rowsAdded ($rowsAdded + 1)
}
# -- DHCP: announce steerdnsd as the DNS server
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
# -- Router advertisements (RFC 8106): announce steerdnsd as the DNS server
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
:put ("steerdns: setup complete; rows added: " . $rowsAdded . ", rows changed: " . $rowsChanged)
}

# ==== router "172.16.1.1:8728": undo
# Undoes the block above, also if that stopped half-way. Write yes in its first command.
{
:local undo "no"
:if ($undo != "yes") do={ :error "steerdns: undo not confirmed: write yes in the first command of the undo block" }
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
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: route of policy_set"]])
/ip firewall mangle remove [find where comment="steerdns: route of policy_set"]
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall mangle find where comment="steerdns: connections to policy_set_v4"]])
/ip firewall mangle remove [find where comment="steerdns: connections to policy_set_v4"]
:foreach row in=[/ip firewall filter find where comment~" steerdns-was="] do={
    :local note [/ip firewall filter get $row comment]
    :local at [:find $note " steerdns-was="]
    :local was [:tostr [:pick $note ($at + 14) [:len $note]]]
    /ip firewall filter set $row !connection-mark comment=[:tostr [:pick $note 0 $at]]
    :set rowsPutBack ($rowsPutBack + 1)
}
:set rowsRemoved ($rowsRemoved + [:len [/routing rule find where comment="steerdns: routes in vpn"]])
/routing rule remove [find where comment="steerdns: routes in vpn"]
:set rowsRemoved ($rowsRemoved + [:len [/routing table find where comment="steerdns: routes in vpn"]])
/routing table remove [find where comment="steerdns: routes in vpn"]
:set rowsRemoved ($rowsRemoved + [:len [/ip route find where comment="steerdns: policy_set"]])
/ip route remove [find where comment="steerdns: policy_set"]
:set rowsRemoved ($rowsRemoved + [:len [/routing table find where comment="steerdns: policy_set"]])
/routing table remove [find where comment="steerdns: policy_set"]
:foreach script in=[/system script find where name="steerdns-before-api"] do={
    :local was [/system script get $script source]
    :local at [:find $was " address="]
    :local wasDisabled [:pick $was 9 $at]
    :local openTo [:tostr [:pick $was ($at + 9) [:len $was]]]
    :foreach row in=[/ip service find where name="api"] do={
        :local now [/ip service get $row]
        :if ([:tostr ($now->"dynamic")] != "true") do={
            :if (($wasDisabled . $openTo) = "no") do={
                :put "steerdns: /ip service api keeps its addresses: before the setup, it was open to all, or its addresses could not be read; change them by hand"
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
:put ("steerdns: undo complete; rows removed: " . $rowsRemoved . ", rows restored: " . $rowsPutBack)
}

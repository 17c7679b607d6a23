# RouterOS 7 commands for the routers of "configs/ipv6-mostly.yaml", made by steerdnsd --routeros-setup (docs/guides/routers.md).
# Each router has two blocks: the setup and its undo. Back up the router first: /export file=before-steerdns
# For RouterOS 6, add --routeros-6.

# ==== router of the IPv6-mostly network: set up
# Fill in the values. Then paste from the first brace to the last. The last line prints a summary.
# If that line is missing, a command failed, and the block stopped there. Fix the cause, and paste the
# whole block again: it skips what is done already. To change a value later, undo first.
# Needs RouterOS 7.9.2 or newer: pref64 in /ipv6/nd
{
# -- Fill in
# Next hop to the NAT64 translator: an IPv6 address, or the name of an interface
:local translator ""
# IPv4 pool of the translator, such as 192.168.255.0/24; empty: it does NAT itself
:local translatorPool ""
# The interface of your clients, such as bridge
:local clientInterface ""
# IPv6 address of steerdnsd, the DNS server of clients
:local dnsAddress6 ""
# DHCP option 108; the last step sets it to yes
:local ipv6Only "no"
# -- Checks: the block stops here if one fails
:if ([:pick [/system resource get version] 0 2] = "6.") do={ :error "steerdns: this router runs RouterOS 6: print the commands with --routeros-6" }
:if ([:len $translator] = 0) do={ :error "steerdns: translator is missing: fill it in" }
:if ([:len $clientInterface] = 0) do={ :error "steerdns: clientInterface is missing: fill it in" }
:if ([:len [/interface find where name=$clientInterface]] = 0) do={ :error "steerdns: there is no interface of the name in clientInterface: correct it" }
:if ([:len [/ipv6 nd find where interface=$clientInterface]] > [:len [/ipv6 nd find where interface=$clientInterface and comment="steerdns: IPv6-mostly"]]) do={ :error "steerdns: /ipv6 nd has an entry for clientInterface that this script did not create: set its pref64, dns and advertise-dns=yes yourself, or remove it" }
:if ([:len $dnsAddress6] = 0) do={ :error "steerdns: dnsAddress6 is missing: fill it in" }
:local rowsAdded 0
:local rowsChanged 0
# -- Route of 64:ff9b::/96 to the NAT64 translator
:if ([:len [/ipv6 route find where comment="steerdns: NAT64 64:ff9b::/96"]] = 0) do={
    /ipv6 route add dst-address=64:ff9b::/96 gateway=$translator comment="steerdns: NAT64 64:ff9b::/96"
    :set rowsAdded ($rowsAdded + 1)
}
# -- Source NAT for the translator's IPv4 pool
:if ([:len $translatorPool] > 0) do={
    :if ([:len [/ip firewall nat find where comment="steerdns: pool of the NAT64 translator"]] = 0) do={
        /ip firewall nat add chain=srcnat src-address=$translatorPool action=masquerade comment="steerdns: pool of the NAT64 translator"
        :set rowsAdded ($rowsAdded + 1)
    }
}
# -- Router advertisements for clients: PREF64 (RFC 8781) and DNS server (RFC 8106)
:if ([:len [/ipv6 nd find where comment="steerdns: IPv6-mostly"]] = 0) do={
    /ipv6 nd add interface=$clientInterface advertise-dns=yes dns=$dnsAddress6 pref64=64:ff9b::/96 comment="steerdns: IPv6-mostly"
    :set rowsAdded ($rowsAdded + 1)
}
# ---- Last step: clients stop using IPv4. It does nothing as it is.
# Check first, on a client with IPv6 only, that this opens a page of an IPv4-only server:
#     curl -6 http://ipv4only.arpa/
# A client that honours option 108 has no IPv4 from then on. It depends on all steps above.
# Then remove the '# ' before :set, and paste the block again. Nothing is done twice.
# Clients come back to IPv4 within 300 s. Raise the value to a day (0x00015180) later.
# :set ipv6Only "yes"
# -- DHCP option 108 (RFC 8925): clients that can do so stop using IPv4
:if ($ipv6Only = "yes") do={
    :if ([:len [/ip dhcp-server option find where name="steerdns-v6only"]] = 0) do={
        /ip dhcp-server option add name="steerdns-v6only" code=108 value=0x0000012c
        :set rowsAdded ($rowsAdded + 1)
    }
    :foreach row in=[/ip dhcp-server network find] do={
        :local joined ""
        :local given "no"
        :foreach item in=[/ip dhcp-server network get $row dhcp-option] do={
            :if ($item = "steerdns-v6only") do={ :set given "yes" }
            :if ($item != "steerdns-v6only") do={
                :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
                :set joined ($joined . $item)
            }
        }
        :if ($given = "no") do={
            :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
            /ip dhcp-server network set $row dhcp-option=($joined . "steerdns-v6only")
            :set rowsChanged ($rowsChanged + 1)
        }
    }
}
:put ("steerdns: setup complete; rows added: " . $rowsAdded . ", rows changed: " . $rowsChanged)
}

# ==== router of the IPv6-mostly network: undo
# Undoes the block above, also if that stopped half-way. Write yes in its first command.
{
:local undo "no"
:if ($undo != "yes") do={ :error "steerdns: undo not confirmed: write yes in the first command of the undo block" }
:local rowsRemoved 0
:local rowsPutBack 0
:foreach row in=[/ip dhcp-server network find] do={
    :local joined ""
    :local given "no"
    :foreach item in=[/ip dhcp-server network get $row dhcp-option] do={
        :if ($item = "steerdns-v6only") do={ :set given "yes" }
        :if ($item != "steerdns-v6only") do={
            :if ([:len $joined] > 0) do={ :set joined ($joined . ",") }
            :set joined ($joined . $item)
        }
    }
    :if ($given = "yes") do={
        /ip dhcp-server network set $row dhcp-option=$joined
        :set rowsPutBack ($rowsPutBack + 1)
    }
}
:set rowsRemoved ($rowsRemoved + [:len [/ip dhcp-server option find where name="steerdns-v6only"]])
/ip dhcp-server option remove [find where name="steerdns-v6only"]
:set rowsRemoved ($rowsRemoved + [:len [/ipv6 nd find where comment="steerdns: IPv6-mostly"]])
/ipv6 nd remove [find where comment="steerdns: IPv6-mostly"]
:set rowsRemoved ($rowsRemoved + [:len [/ip firewall nat find where comment="steerdns: pool of the NAT64 translator"]])
/ip firewall nat remove [find where comment="steerdns: pool of the NAT64 translator"]
:set rowsRemoved ($rowsRemoved + [:len [/ipv6 route find where comment="steerdns: NAT64 64:ff9b::/96"]])
/ipv6 route remove [find where comment="steerdns: NAT64 64:ff9b::/96"]
:put ("steerdns: undo complete; rows removed: " . $rowsRemoved . ", rows restored: " . $rowsPutBack)
}

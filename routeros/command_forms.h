// All API sentences that SteerDNS can send to a router. A Command consists of one of these forms,
// with arguments of the form. The test routeros_schema checks each form against the commands that
// routers of 16 versions reported. docs/reference/routeros-versions.md has the version that each
// feature needs.
#pragma once

#include <string_view>

namespace steer::routeros {

// Columns: name; feature; menu, where "/ip*" means /ip and /ipv6; command; arguments; properties to
// read (for .proplist, if the command has it). An argument with a leading '!' is a matcher. A
// terminal resets it by `!argument`; an empty value would be a value to match.
#define STEER_ROUTER_COMMANDS(X)                                                                  \
    X(login, "session", "/", "login", "name,password,response", "")                               \
    X(print_identity, "session", "/system/identity", "print", "", "")                             \
    X(print_resource, "session", "/system/resource", "print", ".proplist",                        \
      "uptime,version,board-name,cpu-load,write-sect-since-reboot,write-sect-total")              \
    X(print_rows, "address lists", "/ip*/firewall/address-list", "print", ".proplist",            \
      ".id,list,address,timeout,comment,dynamic,disabled")                                        \
    X(listen_rows, "address lists", "/ip*/firewall/address-list", "listen", "", "")               \
    X(add_row, "address lists", "/ip*/firewall/address-list", "add",                              \
      "list,address,timeout,comment", "")                                                         \
    X(set_row, "address lists", "/ip*/firewall/address-list", "set",                              \
      ".id,timeout,comment,disabled", "")                                                         \
    X(remove_rows, "address lists", "/ip*/firewall/address-list", "remove", ".id", "")            \
    X(print_routes, "routes", "/ip*/route", "print", ".proplist",                                 \
      ".id,routing-table,dst-address,gateway,distance,comment,dynamic,disabled,inactive")         \
    X(listen_routes, "routes", "/ip*/route", "listen", "", "")                                    \
    X(add_route, "routes", "/ip*/route", "add",                                                   \
      "routing-table,dst-address,gateway,distance,comment", "")                                   \
    X(change_route, "routes", "/ip*/route", "set", ".id,gateway,distance,comment,disabled", "")   \
    X(remove_routes, "routes", "/ip*/route", "remove", ".id", "")                                 \
    X(print_own_addresses, "address lists", "/ip*/address", "print", ".proplist", "address")      \
    X(execute, "address lists, rows added by script", "/", "execute", "script,as-string", "")     \
    X(print_connections, "repair of connections, connection guard", "/ip*/firewall/connection",   \
      "print", ".proplist", ".id,dst-address,dst-port,connection-mark")                           \
    X(remove_connections, "repair of connections", "/ip*/firewall/connection", "remove", ".id",   \
      "")                                                                                         \
    X(print_leases, "names of DHCP leases", "/ip/dhcp-server/lease", "print", "", "")             \
    X(listen_leases, "names of DHCP leases", "/ip/dhcp-server/lease", "listen", "", "")           \
    X(print_bindings, "addresses of DHCPv6 bindings", "/ipv6/dhcp-server/binding", "print", "",   \
      "")                                                                                         \
    X(listen_bindings, "addresses of DHCPv6 bindings", "/ipv6/dhcp-server/binding", "listen", "", \
      "")                                                                                         \
    X(print_dhcp_networks, "names of DHCP leases", "/ip/dhcp-server/network", "print", "", "")    \
    X(listen_dhcp_networks, "names of DHCP leases", "/ip/dhcp-server/network", "listen", "", "")  \
    X(print_dns, "import routeros, doctor: settings", "/ip/dns", "print", "", "")                 \
    X(print_dns_servers, "DNS servers of a router as upstreams", "/ip/dns", "print", ".proplist", \
      "dynamic-servers")                                                                          \
    X(print_static, "import routeros, doctor: static records", "/ip/dns/static", "print", "", "") \
    X(print_adlists, "import routeros: ad lists", "/ip/dns/adlist", "print", "", "")              \
    X(print_forwarders, "import routeros: forwarders", "/ip/dns/forwarders", "print", "", "")     \
    X(read_services, "doctor", "/ip/service", "print", "", "")                                    \
    X(read_users, "doctor", "/user", "print", "", "")                                             \
    X(read_groups, "doctor", "/user/group", "print", "", "")                                      \
    X(read_settings, "doctor", "/ip/settings", "print", "", "")                                   \
    X(read_tables, "doctor", "/routing/table", "print", "", "")                                   \
    X(read_lists, "doctor", "/interface/list", "print", "", "")                                   \
    X(read_members, "doctor", "/interface/list/member", "print", "", "")                          \
    X(read_addresses, "doctor", "/ip*/address", "print", "", "")                                  \
    X(read_routes, "doctor", "/ip*/route", "print", "", "")                                       \
    X(read_mangle, "doctor", "/ip*/firewall/mangle", "print", "", "")                             \
    X(read_filter, "doctor", "/ip*/firewall/filter", "print", "", "")                             \
    X(read_nat, "doctor", "/ip*/firewall/nat", "print", "", "")                                   \
    X(read_disabled_rows, "doctor", "/ip*/firewall/address-list", "print", ".proplist",           \
      ".id,list,address,comment,disabled")                                                        \
    X(read_dhcp_networks, "doctor, DHCP", "/ip/dhcp-server/network", "print", "", "")             \
    X(read_dhcp_options, "doctor, DHCP", "/ip/dhcp-server/option", "print", "", "")               \
    X(read_option_sets, "doctor, DHCP", "/ip/dhcp-server/option/sets", "print", "", "")           \
    X(read_nd, "doctor", "/ipv6/nd", "print", "", "")                                             \
    X(read_dhcp_servers, "doctor, DHCP", "/ip/dhcp-server", "print", "", "")                      \
    X(read_relays, "doctor, DHCP", "/ip/dhcp-relay", "print", "", "")                             \
    X(read_dhcp_clients, "doctor, DHCP", "/ip/dhcp-client", "print", "", "")                      \
    X(read_dhcp_alerts, "doctor, DHCP", "/ip/dhcp-server/alert", "print", "", "")                 \
    X(read_pools, "doctor, DHCP", "/ip/pool", "print", "", "")                                    \
    X(read_dhcp6_servers, "doctor, DHCP", "/ipv6/dhcp-server", "print", "", "")                   \
    X(read_dhcp6_options, "doctor, DHCP", "/ipv6/dhcp-server/option", "print", "", "")            \
    X(read_routing_rules, "doctor", "/routing/rule", "print", "", "")                             \
    X(read_vrfs, "doctor", "/ip/vrf", "print", "", "")                                            \
    X(read_switches, "doctor, switch chips", "/interface/ethernet/switch", "print", "", "")       \
    X(read_switch_ports, "doctor, switch chips", "/interface/ethernet/switch/port", "print", "",  \
      "")                                                                                         \
    X(read_bridge_ports, "doctor, switch chips", "/interface/bridge/port", "print", "", "")       \
    X(find_connections, "doctor --probe", "/ip*/firewall/connection", "print", ".proplist",       \
      ".id,src-address,src-port,dst-address,dst-port,reply-dst-address,connection-mark")          \
    X(read_rule_counters, "doctor --probe", "/ip*/firewall/mangle", "print", "stats,.proplist",   \
      ".id,packets")                                                                              \
    X(read_interface_counters, "doctor --probe", "/interface", "print", ".proplist",              \
      "name,tx-packet")                                                                           \
    X(set_network_option, "doctor --watch --fix", "/ip/dhcp-server/network", "set",               \
      ".id,dhcp-option,comment", "")                                                              \
    X(set_user, "doctor --fix", "/user", "set", ".id,address", "")                                \
    X(set_service, "doctor --fix", "/ip/service", "set", ".id,address", "")                       \
    X(set_sessions, "doctor --fix, max-sessions", "/ip/service", "set", ".id,max-sessions", "")   \
    X(set_settings, "doctor --fix", "/ip/settings", "set", "rp-filter", "")                       \
    X(set_table, "doctor --fix", "/routing/table", "set", ".id,disabled", "")                     \
    X(set_route, "doctor --fix", "/ip*/route", "set", ".id,disabled", "")                         \
    X(add_mangle, "doctor --fix", "/ip*/firewall/mangle", "add",                                  \
      "chain,in-interface,in-interface-list,dst-address-type,dst-address-list,connection-state,"  \
      "connection-mark,action,new-connection-mark,new-routing-mark,passthrough,comment,place-"    \
      "before",                                                                                   \
      "")                                                                                         \
    X(set_mangle, "doctor --fix", "/ip*/firewall/mangle", "set",                                  \
      ".id,disabled,chain,!connection-state,passthrough", "")                                     \
    X(move_mangle, "doctor --fix", "/ip*/firewall/mangle", "move", "numbers,destination", "")     \
    X(set_filter, "doctor --fix", "/ip*/firewall/filter", "set", ".id,!connection-mark", "")      \
    X(add_nat, "doctor --fix", "/ip/firewall/nat", "add",                                         \
      "chain,action,out-interface,out-interface-list,comment", "")                                \
    X(set_dns, "doctor --fix", "/ip/dns", "set", "servers,allow-remote-requests,use-doh-server",  \
      "")                                                                                         \
    X(set_static, "doctor --fix", "/ip/dns/static", "set", ".id,disabled", "")                    \
    X(set_dhcp_network, "doctor --fix", "/ip/dhcp-server/network", "set",                         \
      ".id,dns-server,dns-none,dhcp-option,domain", "")                                           \
    X(set_dhcp_client, "doctor --fix", "/ip/dhcp-client", "set", ".id,use-peer-dns", "")          \
    X(set_dhcp_option, "doctor --fix", "/ip/dhcp-server/option", "set", ".id,value,force", "")    \
    X(add_nd, "doctor --fix", "/ipv6/nd", "add", "interface,advertise-dns,dns,pref64", "")        \
    X(set_nd, "doctor --fix", "/ipv6/nd", "set", ".id,disabled,advertise-dns,dns,pref64", "")     \
    X(set_dhcp6_option, "doctor --fix", "/ipv6/dhcp-server/option", "set", ".id,value", "")       \
    X(set_routing_rule, "doctor --fix", "/routing/rule", "set", ".id,disabled,action", "")        \
    X(add_routing_rule, "doctor --fix", "/routing/rule", "add", "action,table,comment", "")       \
    X(set_switch_port, "doctor, switch chips", "/interface/ethernet/switch/port", "set",          \
      ".id,l3-hw-offloading", "")                                                                 \
    X(set_redirect, "doctor --fix", "/ip/firewall/nat", "set",                                    \
      ".id,disabled,!src-address,to-addresses", "")                                               \
    X(set_redirect6, "doctor --fix", "/ipv6/firewall/nat", "set",                                 \
      ".id,disabled,!src-address,to-address", "")                                                 \
    X(add_redirect, "doctor --fix --redirect", "/ip/firewall/nat", "add",                         \
      "chain,in-interface,in-interface-list,protocol,src-address,dst-address,dst-address-type,"   \
      "dst-port,action,to-addresses,comment",                                                     \
      "")                                                                                         \
    X(add_redirect6, "doctor --fix --redirect", "/ipv6/firewall/nat", "add",                      \
      "chain,in-interface,in-interface-list,protocol,src-address,dst-address,dst-address-type,"   \
      "dst-port,action,to-address,comment",                                                       \
      "")                                                                                         \
    X(add_reject, "doctor --fix --redirect", "/ip*/firewall/filter", "add",                       \
      "chain,in-interface,in-interface-list,protocol,src-address,dst-address-list,dst-port,"      \
      "action,reject-with,comment,place-before",                                                  \
      "")

struct CommandForm {
    std::string_view feature;     // features.h, if not each version has it
    std::string_view menu;        // "/" for the root
    std::string_view command;     // "add"
    std::string_view arguments;   // separated by commas
    std::string_view properties;  // separated by commas
};

namespace forms {
#define STEER_FORM(name, feature, menu, command, arguments, properties) \
    inline constexpr CommandForm name{feature, menu, command, arguments, properties};
STEER_ROUTER_COMMANDS(STEER_FORM)
#undef STEER_FORM
}  // namespace forms

}  // namespace steer::routeros

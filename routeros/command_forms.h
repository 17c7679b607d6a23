// Every API sentence that SteerDNS can send to a router: a Command is made of one of these forms, and its arguments are
// the form's. The test routeros_schema checks each form against the commands that routers of 16 versions reported, and
// docs/reference/routeros-versions.md says which version each feature needs.
#pragma once

#include <string_view>

namespace steer::routeros {

// Columns: name; feature; menu, where "/ip*" stands for /ip and /ipv6; command; arguments; properties that are read
// (what .proplist asks for, if the command has it).
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
    X(set_row, "address lists", "/ip*/firewall/address-list", "set", ".id,timeout,comment", "")   \
    X(remove_rows, "address lists", "/ip*/firewall/address-list", "remove", ".id", "")            \
    X(print_own_addresses, "address lists", "/ip*/address", "print", ".proplist", "address")      \
    X(execute, "address lists, rows added by script", "/", "execute", "script,as-string", "")     \
    X(print_connections, "repair of connections", "/ip*/firewall/connection", "print",            \
      ".proplist", ".id,dst-address,dst-port,connection-mark")                                    \
    X(remove_connections, "repair of connections", "/ip*/firewall/connection", "remove", ".id",   \
      "")                                                                                         \
    X(print_leases, "names of DHCP leases", "/ip/dhcp-server/lease", "print", "", "")             \
    X(listen_leases, "names of DHCP leases", "/ip/dhcp-server/lease", "listen", "", "")           \
    X(print_bindings, "addresses of DHCPv6 bindings", "/ipv6/dhcp-server/binding", "print", "",   \
      "")                                                                                         \
    X(listen_bindings, "addresses of DHCPv6 bindings", "/ipv6/dhcp-server/binding", "listen", "", \
      "")                                                                                         \
    X(print_dns, "import routeros, doctor: settings", "/ip/dns", "print", "", "")                 \
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
    X(read_nat, "doctor", "/ip/firewall/nat", "print", "", "")                                    \
    X(read_dhcp_networks, "doctor", "/ip/dhcp-server/network", "print", "", "")                   \
    X(read_dhcp_options, "doctor", "/ip/dhcp-server/option", "print", "", "")                     \
    X(read_option_sets, "doctor", "/ip/dhcp-server/option/sets", "print", "", "")                 \
    X(read_nd, "doctor", "/ipv6/nd", "print", "", "")                                             \
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
      ".id,disabled,chain,connection-state,passthrough", "")                                      \
    X(move_mangle, "doctor --fix", "/ip*/firewall/mangle", "move", "numbers,destination", "")     \
    X(set_filter, "doctor --fix", "/ip*/firewall/filter", "set", ".id,connection-mark", "")       \
    X(add_nat, "doctor --fix", "/ip/firewall/nat", "add",                                         \
      "chain,action,out-interface,out-interface-list,comment", "")                                \
    X(set_dns, "doctor --fix", "/ip/dns", "set", "servers,allow-remote-requests,use-doh-server",  \
      "")                                                                                         \
    X(set_static, "doctor --fix", "/ip/dns/static", "set", ".id,disabled", "")                    \
    X(set_dhcp_network, "doctor --fix", "/ip/dhcp-server/network", "set",                         \
      ".id,dns-server,dns-none,dhcp-option", "")                                                  \
    X(set_dhcp_option, "doctor --fix", "/ip/dhcp-server/option", "set", ".id,value,force", "")    \
    X(add_nd, "doctor --fix", "/ipv6/nd", "add", "interface,advertise-dns,dns,pref64", "")        \
    X(set_nd, "doctor --fix", "/ipv6/nd", "set", ".id,disabled,advertise-dns,dns,pref64", "")

struct CommandForm {
    std::string_view menu;        // "/" of the root
    std::string_view command;     // "add"
    std::string_view arguments;   // with commas
    std::string_view properties;  // with commas
};

namespace forms {
#define STEER_FORM(name, feature, menu, command, arguments, properties) \
    inline constexpr CommandForm name{menu, command, arguments, properties};
STEER_ROUTER_COMMANDS(STEER_FORM)
#undef STEER_FORM
}  // namespace forms

}  // namespace steer::routeros

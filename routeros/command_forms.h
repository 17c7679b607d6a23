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
    X(print_dns, "import routeros: settings", "/ip/dns", "print", "", "")                         \
    X(print_static, "import routeros: static records", "/ip/dns/static", "print", "", "")         \
    X(print_adlists, "import routeros: ad lists", "/ip/dns/adlist", "print", "", "")              \
    X(print_forwarders, "import routeros: forwarders", "/ip/dns/forwarders", "print", "", "")

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

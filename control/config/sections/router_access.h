// How to reach a router: the settings of `routers.NAME`, and of a ros_address_list or ros_route
// with its own address.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "control/config/reading.h"
#include "control/config/sections/password.h"
#include "control/config/setting.h"

namespace steer::config {

struct RouterAccess : PasswordText {
    std::string address, username;
    bool tls = false, tls_anonymous = false, probe = true;
    bool repair_connections = false;
    std::string tls_ca, tls_pin;
    Milliseconds connect_timeout{5000}, send_timeout{5000}, receive_timeout{5000};
    std::uint32_t cpu_percent = 30;
    RouterScripts scripts = RouterScripts::when_possible;
};

// The SHA-256 of a certificate in the form of common tools: hex digits, with or without colons.
// Empty after a reported error.
std::string read_fingerprint(Reading& in, const Node& node, const Place& place);
void read_tls(Reading& in, const Node& node, const Place& place, RouterAccess& out);
void read_cpu_share(Reading& in, const Node& node, const Place& place, RouterAccess& out);

// The rows, for a struct that is a RouterAccess or has it as its base.
template <class T>
constexpr std::array<Row<T>, 13> router_access_rows(std::string_view required) {
    constexpr auto kPassword = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_password(in, node, place, out);
    };
    constexpr auto kPasswordFile = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_password_file(in, node, place, out);
    };
    constexpr auto kTls = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_tls(in, node, place, out);
    };
    constexpr auto kShare = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_cpu_share(in, node, place, out);
    };
    return {{
        {"address", &T::address, required, "",
         "address and port of the router's API, as in `192.0.2.1:8728` (TLS: 8729)"},
        {"username", &T::username, required, "",
         "RouterOS user with the policies api, read and write"},
        {"password", Own<T>{"text", kPassword}, "none", "", "password of the user"},
        {"password_file", Files<T>{"path", kPasswordFile}, "none", "",
         "file whose first line is the password"},
        {"password_env", &T::password_env, "none", "",
         "environment variable that contains the password"},
        {"tls", Own<T>{"map or true/false", kTls}, "false", "",
         "connect to the API over TLS, see below"},
        {"connect_timeout", &T::connect_timeout, "5s", "~100ms..1m",
         "time limit for a connection attempt"},
        {"send_timeout", &T::send_timeout, "5s", "100ms..1m",
         "time limit for the router to acknowledge sent data\nWhen it expires, the connection is "
         "closed and reopened."},
        {"receive_timeout", &T::receive_timeout, "5s", "100ms..1m",
         "time limit for a reply of the router\nWhile the router prints or writes rows, the limit "
         "is six times as long. When it expires, the connection is closed and reopened. Queries "
         "never wait longer than 3 s for a silent router."},
        {"cpu_share", Own<T>{"percentage", kShare}, "30%", "5%..90%",
         "share of the router's CPU for background writes\nThe share is kept on slow routers, too: "
         "at least one row is written every two seconds. After a reboot of the router, and at the "
         "end of SteerDNS, rows may take up to 90%. Rows that an answer waits for, and renewals in "
         "the last 10 s of a row, have no limit. If the router cannot write the row of a held "
         "answer within `sync_timeout`, the answer does not wait: `on_timeout` applies at once. A "
         "backlog of more than 30 s is named in `problems` of `steerctl status`."},
        {"scripts", choice<T, &T::scripts>(), "auto", "auto|off",
         "write many rows with one script (RouterOS 7)\n`auto` uses scripts for large background "
         "writes. `off` sends one API command per row."},
        {"probe", &T::probe, "true", "",
         "probe a RouterOS version that is not known yet\nThe probe runs once per version and "
         "sends 24 commands. It writes rows with a timeout to the list steerdns-probe."},
        {"repair_connections", &T::repair_connections, "false", "",
         "end connections that were opened before their address had a row\nClients open such "
         "connections again "
         "with the right route. Connections with a connection mark are never ended."},
    }};
}

// The router of these settings. No value: something is missing or wrong, which is reported at
// `line`.
std::optional<Router> finish_router(Reading& in, const RouterAccess& access,
                                    const std::string& owner, int line);

std::vector<RowText> tls_row_texts();

// The index of the router with this key of `routers:`; reports errors.
std::optional<RouterIndex> find_router(Reading& in, const std::string& name, const Place& place);

// The file with the DNS servers of a router (control/sources/router_lists); empty: `router_lists`
// is off.
std::string servers_file(const Settings& settings, RouterIndex router);

}  // namespace steer::config

// How a router is reached: the settings that `routers.NAME` and a ros_address_list with an address
// of its own share.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "control/config/reading.h"
#include "control/config/setting.h"

namespace steer::config {

struct RouterAccess {
    std::string address, username, password_file, password_env;
    std::optional<std::string> password;
    int password_line = 0;  // where it is written; 0: it came from elsewhere
    bool tls = false, tls_anonymous = false, probe = true;
    bool repair_connections = false;
    std::string tls_ca, tls_pin;
    Milliseconds connect_timeout{5000}, send_timeout{5000}, receive_timeout{5000};
    std::uint32_t cpu_percent = 30;
    RouterScripts scripts = RouterScripts::when_possible;
};

void read_password(Reading& in, const Node& node, const Place& place, RouterAccess& out);
void read_tls(Reading& in, const Node& node, const Place& place, RouterAccess& out);
void read_cpu_share(Reading& in, const Node& node, const Place& place, RouterAccess& out);

// The rows, for a struct that is or contains a RouterAccess as its base.
template <class T>
constexpr std::array<Row<T>, 13> router_access_rows(std::string_view required) {
    constexpr auto kPassword = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_password(in, node, place, out);
    };
    constexpr auto kTls = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_tls(in, node, place, out);
    };
    constexpr auto kShare = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_cpu_share(in, node, place, out);
    };
    return {{
        {"address", &T::address, required, "",
         "the router's API, as in `address: 192.0.2.1:8728` (8729 with tls)"},
        {"username", &T::username, required, "",
         "a user with the policies api, read and write, as in `username: steer`"},
        {"password", Own<T>{"text", kPassword}, "none", "", "the user's password"},
        {"password_file", &T::password_file, "none", "", "or a file whose first line it is"},
        {"password_env", &T::password_env, "none", "", "or an environment variable that holds it"},
        {"tls", Own<T>{"map or true/false", kTls}, "false", "", "API over TLS, see below"},
        {"connect_timeout", &T::connect_timeout, "5s", "~100ms..1m",
         "how long connecting may take"},
        {"send_timeout", &T::send_timeout, "5s", "100ms..1m",
         "how long the router's TCP may leave what was sent to it untaken or unacknowledged; then "
         "the connection is made anew"},
        {"receive_timeout", &T::receive_timeout, "5s", "100ms..1m",
         "how long the router may say nothing while an answer is due, six times as long while it "
         "prints or writes rows; then the connection is made anew. After 3s at most no query waits "
         "for it"},
        {"cpu_share", Own<T>{"part in per cent", kShare}, "30%", "5%..90%",
         "how much of the router's time writes may take that nobody waits for; what follows its "
         "reboot takes up to 90%"},
        {"scripts", choice<T, &T::scripts>(), "auto", "auto|off",
         "auto: where many rows are to be added and nobody waits for them, RouterOS 7 gets scripts "
         "of many rows each; off: "
         "a sentence each"},
        {"probe", &T::probe, "true", "",
         "a RouterOS version that is not known yet is asked once what it does where its "
         "documentation is silent: 24 sentences, on timed rows of the list steerdns-probe"},
        {"repair_connections", &T::repair_connections, "false", "",
         "connections without a mark that were opened before their address had its row are ended"},
    }};
}

// The router that these settings mean; nothing if something is missing or wrong, which is reported
// at `line`.
std::optional<Router> finish_router(Reading& in, const RouterAccess& access,
                                    const std::string& owner, int line);

std::vector<RowText> tls_row_texts();

// The index of the router with this key of `routers:`; what is wrong is reported.
std::optional<RouterIndex> find_router(Reading& in, const std::string& name, const Place& place);

}  // namespace steer::config

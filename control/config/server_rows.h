// The settings that servers over TCP have in common: written once, read by each of their types.
#pragma once

#include <array>

#include "control/config/plugins/plugin_type.h"
#include "control/config/setting.h"

namespace steer::config {

inline constexpr std::string_view kServerEntryText =
    "tag of the executor that queries enter, as in `entry: main`";
inline constexpr std::string_view kServerListenText =
    "address and port, as in `listen: ':53'` (all addresses, both families) or `'192.0.2.1:53'`";

void read_server_cert(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_key(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_client_ca(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_require(Reading& in, const Node& node, const Place& place, ServerTls& out);
// What single values do not show: a key without its certificate.
void check_server(Reading& in, const Node& args, const Plugin& plugin, const StreamServer& server);

// `idle`: the default of `idle_timeout`.
template <class T>
constexpr std::array<Row<T>, 10> stream_server_rows(std::string_view idle) {
    using Read = void (*)(Reading&, const Node&, const Place&, T&);
    constexpr Read kCert = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_server_cert(in, node, place, out.tls);
    };
    constexpr Read kKey = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_server_key(in, node, place, out.tls);
    };
    constexpr Read kClientCa = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_server_client_ca(in, node, place, out.tls);
    };
    constexpr Read kRequire = [](Reading& in, const Node& node, const Place& place, T& out) {
        read_server_require(in, node, place, out.tls);
    };
    constexpr Read kProxies = [](Reading& in, const Node& node, const Place& place, T& out) {
        out.proxy_protocol = read_prefixes(in, node, place);
    };
    return {{
        {"listen", Own<T>{"address:port", read_listen<T>}, "required", "", kServerListenText},
        {"idle_timeout", &T::idle_timeout, idle, "1s..1h",
         "a connection without a query for so long is closed"},
        {"cert", Own<T>{"path", kCert}, "none", "",
         "PEM file with the server's certificate and those between it and the authority: TLS 1.2 "
         "and 1.3. Read anew at a reload and when it changes, with the rights of `user` of "
         "`control`; one that is not good is named and leaves the one before in force"},
        {"key", Own<T>{"path", kKey}, "none", "", "PEM file with its private key, not encrypted"},
        {"client_ca", Own<T>{"path", kClientCa}, "none", "",
         "PEM file with the authorities of clients' certificates: one that a client shows has to "
         "be theirs"},
        {"require_client_cert", Own<T>{"true/false", kRequire}, "false", "",
         "clients without a certificate are refused"},
        {"max_connections", &T::max_connections, "10000", "1..1000000",
         "open at one time, on all addresses of this server; then the one that has been idle "
         "longest makes room. Each takes a descriptor (`LimitNOFILE`)"},
        {"max_connections_per_client", &T::max_connections_per_client, "64", "1..1000000",
         "of these, of one IPv4 address or one IPv6 /64"},
        {"max_queries", &T::max_queries, "100", "1..1000",
         "in progress on one connection; further ones are read when one of them is answered. "
         "HTTP/2 "
         "clients are told it (RFC 9113 recommends 100 at least)"},
        {"proxy_protocol", Own<T>{"list of prefixes", kProxies}, "none", "",
         "who must begin a connection with a PROXY header of version 2 (HAProxy, dnsdist, a load "
         "balancer): the address in it is the client's, for limits, `allow` and every rule"},
    }};
}

}  // namespace steer::config

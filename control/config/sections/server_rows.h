// The common settings of servers over TCP: written once, read by each of these types.
#pragma once

#include <array>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/setting.h"

namespace steer::config {

inline constexpr std::string_view kServerEntryText =
    "tag of the executor that processes the queries, as in `entry: main`";
inline constexpr std::string_view kServerListenText =
    "address and port, as in `':53'` (all addresses, IPv4 and IPv6) or `'192.0.2.1:53'`";

void read_server_cert(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_key(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_client_ca(Reading& in, const Node& node, const Place& place, ServerTls& out);
void read_server_require(Reading& in, const Node& node, const Place& place, ServerTls& out);
// Finds errors that a single value does not show: a key without its certificate.
void check_server(Reading& in, const Node& args, const Plugin& plugin, const StreamServer& server);

using ServerCheck = void(Reading& in, const Node& args, const Plugin& plugin,
                         const StreamServer& server);
inline void no_further_check(Reading& /*in*/, const Node& /*args*/, const Plugin& /*plugin*/,
                             const StreamServer& /*server*/) {}

// Reads the plugin of a server, which its rows and checks describe.
template <const auto& Rows, ServerProtocol Protocol, ServerCheck& Check = no_further_check>
void read_stream_server(Reading& in, const Node* node, Plugin& plugin) {
    StreamServer args;
    args.protocol = Protocol;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, Rows, owner_of(plugin), args);
    check_server(in, map, plugin, args);
    Check(in, map, plugin, args);
    plugin.args = std::move(args);
}

// The default address of a udp_server or tcp_server, as in mosdns.
inline constexpr std::string_view kServerListenDefault = "127.0.0.1:53";

void read_server_early_data(Reading& in, const Node& node, const Place& place, StreamServer& out);
// `early_data`, of a quic_server and an http_server.
inline constexpr Row<StreamServer> kEarlyDataRow{
    "early_data", Own<StreamServer>{"true/false", read_server_early_data}, "false", "",
    "let clients that come again send queries beside their handshake (0-RTT, RFC 9001 4.6)\nTheir "
    "answers come one round trip earlier. It applies to clients whose address is proved by a token "
    "of an earlier connection. An attacker who recorded such a query can replay it, once "
    "to each other box that shares `secret_file` of `quic`, within 10 s. Every query that is "
    "answered here may be repeated; updates and zone transfers are refused."};
// Reports it beside `client_ca` (an error) and without HTTP/3 (a warning).
void check_early_data(Reading& in, const Node& args, const Plugin& plugin,
                      const StreamServer& server);

// `idle`: the default of `idle_timeout`.
constexpr std::array<Row<StreamServer>, 10> stream_server_rows(
    std::string_view idle, std::string_view listen = "required") {
    using T = StreamServer;
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
        {"listen", Own<T>{"address:port", read_listen<T>}, listen, "", kServerListenText},
        {"idle_timeout", &T::idle_timeout, idle, "~1s..1h",
         "time after which a connection without queries is closed"},
        {"cert", Files<T>{"path", kCert}, "none", "",
         "PEM file with the server's certificate and its intermediate certificates\nIt enables TLS "
         "1.2 and 1.3. The file is read again at a reload and when it changes, with the rights of "
         "`user` in `control`. If the new certificate is invalid, a warning names it and the "
         "previous one stays in use."},
        {"key", Files<T>{"path", kKey}, "none", "", "PEM file with the private key, not encrypted"},
        {"client_ca", Files<T>{"path", kClientCa}, "none", "",
         "PEM file with CA certificates for client certificates\nA certificate that a client "
         "presents must be signed by one of them."},
        {"require_client_cert", Own<T>{"true/false", kRequire}, "false", "",
         "reject clients without a certificate"},
        {"max_connections", &T::max_connections, "10000", "1..1000000",
         "maximum open connections, over all addresses of the server\nAt the limit, the connection "
         "that has been idle longest is closed. Each connection needs a file descriptor "
         "(`LimitNOFILE`) and memory. If the process has too few, a smaller number is in force for "
         "all servers together. The log and `connection_limit` of `status` have it."},
        {"max_connections_per_client", &T::max_connections_per_client, "64", "1..1000000",
         "maximum open connections per client (an IPv4 address or an IPv6 /64)"},
        {"max_queries", &T::max_queries, "100", "1..1000",
         "maximum queries in progress per connection\nFurther queries are read when one is "
         "answered. HTTP/2 clients receive this limit; RFC 9113 recommends at least 100."},
        {"proxy_protocol", Own<T>{"list of prefixes", kProxies}, "none", "",
         "senders that must begin a connection with a PROXY protocol v2 header\nSuch senders are "
         "HAProxy, dnsdist and other load balancers. The address in the header is used as the "
         "client's address in limits, `allow` and rules."},
    }};
}

}  // namespace steer::config

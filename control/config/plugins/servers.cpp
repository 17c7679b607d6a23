// udp_server and tcp_server: listeners, and the executor for their queries.
#include "control/config/sections/server_rows.h"

namespace steer::config {
namespace {

constexpr std::array<Row<UdpServer>, 3> kUdpRows{{
    {"entry", Own<UdpServer>{"tag", read_entry<UdpServer>}, "required", "", kServerEntryText},
    {"listen", Own<UdpServer>{"address:port", read_listen<UdpServer>}, kServerListenDefault, "",
     kServerListenText},
    {"cookies", choice<UdpServer, &UdpServer::cookies>(), "on", "off|on|required_under_load",
     "what this server does with DNS cookies (RFC 7873)\n`on`: a client that sends a cookie gets "
     "a server cookie, which other hosts cannot guess. A client with a valid one has a quota of "
     "its own for pending queries. `required_under_load`: while a worker has half of its "
     "`max_parked` or `max_in_flight` in use, and 10 s longer, only queries with a valid cookie "
     "are answered. Others get BADCOOKIE with a new cookie, or are sent to TCP if they have none. "
     "It needs a `tcp_server` on the same address. `off`: cookies are ignored, also over TCP."},
}};
constexpr std::array<Row<StreamServer>, 1> kTcpOwnRows{{
    {"entry", Own<StreamServer>{"tag", read_entry<StreamServer>}, "required", "", kServerEntryText},
}};
constexpr auto kTcpRows = joined(kTcpOwnRows, stream_server_rows("10s", kServerListenDefault));

template <class T, const auto& Rows>
void read_servers(Reading& in, const Node* node, Plugin& plugin) {
    T args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, Rows, owner_of(plugin), args);
    if (const Node* const listen = map.find("listen"); listen == nullptr || listen->is_null()) {
        in.report().warn(plugin.line, owner_of(plugin) + " has no 'listen': it listens on " +
                                          std::string(kServerListenDefault) +
                                          ", which only this machine reaches");
    }
    if constexpr (std::is_same_v<T, StreamServer>) check_server(in, map, plugin, args);
    plugin.args = args;
}

}  // namespace

const PluginType kUdpServerType{"udp_server",
                                Role::server,
                                "Answers over UDP. For TCP add a `tcp_server`.",
                                "",
                                "",
                                [] { return row_texts(kUdpRows); },
                                read_servers<UdpServer, kUdpRows>,
                                nullptr};
const PluginType kTcpServerType{
    "tcp_server",
    Role::server,
    "Answers over TCP (RFC 7766), with many queries per connection. With `cert` and `key` it "
    "answers over TLS (RFC 7858), usually on port 853. For both, write two servers.",
    "",
    "",
    [] { return row_texts(kTcpRows); },
    read_servers<StreamServer, kTcpRows>,
    nullptr};

}  // namespace steer::config

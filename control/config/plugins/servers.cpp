// udp_server and tcp_server: where queries come in, and which executor they enter.
#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::string_view kEntryText =
    "tag of the executor that queries enter, as in `entry: main`";
constexpr std::string_view kListenText =
    "address and port, as in `listen: ':53'` (all addresses, both families) or `'192.0.2.1:53'`";

constexpr std::array<Row<UdpServer>, 2> kUdpRows{{
    {"entry", Own<UdpServer>{"tag", read_entry<UdpServer>}, "required", "", kEntryText},
    {"listen", Own<UdpServer>{"address:port", read_listen<UdpServer>}, "required", "", kListenText},
}};
constexpr std::array<Row<TcpServer>, 5> kTcpRows{{
    {"entry", Own<TcpServer>{"tag", read_entry<TcpServer>}, "required", "", kEntryText},
    {"listen", Own<TcpServer>{"address:port", read_listen<TcpServer>}, "required", "", kListenText},
    {"idle_timeout", &TcpServer::idle_timeout, "10s", "1s..1h",
     "a connection without a query for so long is closed"},
    {"cert", NotYet{}, "", "", "certificate of DNS over TLS"},
    {"key", NotYet{}, "", "", "its private key"},
}};

template <class T, const auto& Rows>
void read(Reading& in, const Node* node, Plugin& plugin) {
    T args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), Rows, owner_of(plugin), args);
    plugin.args = args;
}

}  // namespace

const PluginType kUdpServerType{"udp_server",
                                Role::server,
                                "Answers over UDP. TCP needs a tcp_server of its own.",
                                "",
                                "",
                                [] { return row_texts(kUdpRows); },
                                read<UdpServer, kUdpRows>,
                                nullptr};
const PluginType kTcpServerType{"tcp_server",
                                Role::server,
                                "Answers over TCP (RFC 7766), many queries a connection.",
                                "",
                                "",
                                [] { return row_texts(kTcpRows); },
                                read<TcpServer, kTcpRows>,
                                nullptr};

}  // namespace steer::config

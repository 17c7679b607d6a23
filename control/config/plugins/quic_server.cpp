// quic_server: DNS over QUIC (RFC 9250).
#include <algorithm>

#include "control/config/sections/server_rows.h"

namespace steer::config {
namespace {

constexpr std::array<Row<StreamServer>, 2> kQuicOwnRows{{
    {"entry", Own<StreamServer>{"tag", read_entry<StreamServer>}, "required", "", kServerEntryText},
    kEarlyDataRow,
}};

// Those of servers over TCP, except the PROXY header: it has no form for QUIC.
constexpr auto quic_rows() {
    constexpr auto kAll = stream_server_rows("30s");
    std::array<Row<StreamServer>, kAll.size() - 1> out{};
    std::size_t n = 0;
    for (Row<StreamServer> row : kAll) {
        if (row.name == "proxy_protocol") continue;
        if (row.name == "cert" || row.name == "key") row.default_text = "required";
        if (row.name == "cert") {
            row.text =
                "PEM file with the server's certificate and its intermediate certificates\nThe "
                "file "
                "is read again at a reload and when it changes. If the new certificate is invalid, "
                "a warning names it and the previous one stays in use.";
        } else if (row.name == "idle_timeout") {
            row.text =
                "time after which a connection without packets is closed\nThe client's own idle "
                "time may be shorter.";
        } else if (row.name == "max_connections") {
            row.text =
                "maximum open connections, over all addresses of the server\nAt the limit, one "
                "that "
                "has been idle long is closed. Each takes 80 to 100 KB, and the queries and "
                "answers "
                "that it holds, at most 4 MB. All servers over QUIC share a quarter of the memory "
                "and 16 MiB: with 4 GiB, 11,500 connections in all. If they may have more, each "
                "gets its part.";
        } else if (row.name == "max_connections_per_client") {
            row.default_text = "1000";
            row.text =
                "maximum open connections per client (an IPv4 address or an IPv6 /64)\nMany "
                "phones may share an address. What they hold is limited for each connection and "
                "for the process.";
        } else if (row.name == "max_queries") {
            row.text = "maximum queries in progress per connection\nClients receive this limit.";
        }
        out[n++] = row;
    }
    return out;
}
constexpr auto kQuicRows = joined(kQuicOwnRows, quic_rows());

}  // namespace

const PluginType kQuicServerType{
    "quic_server",
    Role::server,
    "Answers DNS over QUIC (RFC 9250), usually on port 853. QUIC and TLS are in the process "
    "`steerdns-quic`, which has no privileges. Queries follow the same path as those over TLS.",
    "",
    "",
    [] { return row_texts(kQuicRows); },
    read_stream_server<kQuicRows, ServerProtocol::doq, check_early_data>,
    nullptr};

}  // namespace steer::config

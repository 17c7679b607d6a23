// One entry of `upstreams`: an address, a scheme, and the settings to reach it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/reading.h"
#include "control/config/setting.h"
#include "control/config/values.h"

namespace steer::config {

// `node`: a map of rows, or a text, which means "addr: TEXT". `reach`: the forward's settings for
// all entries. No value: an error was reported.
std::optional<UpstreamSettings> read_upstream(Reading& in, const Node& node,
                                              const std::string& owner, const ReachSettings& reach);
// An entry that is written in place, as an address only.
std::optional<UpstreamSettings> read_upstream(Reading& in, std::string_view addr, int line,
                                              const std::string& owner);

// Pins of keys, as base64 of their SHA-256. Errors are reported.
std::vector<std::array<std::uint8_t, 32>> read_pin_texts(Reading& in, const Node& node,
                                                         const Place& place);

// The rows of an entry, for the documentation.
std::vector<RowText> upstream_row_texts();

// Applies the outbound profile of this name, or the default one if it is empty, to settings that `reach` neither has nor
// declines.
void take_outbound(Reading& in, const std::string& name, ReachSettings& reach);

// ---- rows that a forward also has, for structs with a member `reach`

void read_socks5(Reading& in, const Node& node, const Place& place, ReachSettings& out);
void read_bootstrap(Reading& in, const Node& node, const Place& place, ReachSettings& out);
void read_bootstrap_version(Reading& in, const Node& node, const Place& place, ReachSettings& out);
void read_so_mark(Reading& in, const Node& node, const Place& place, ReachSettings& out);
void read_device(Reading& in, const Node& node, const Place& place, ReachSettings& out);

template <auto Read, class T>
void reach_of(Reading& in, const Node& node, const Place& place, T& out) {
    Read(in, node, place, out.reach);
}

template <class T>
inline constexpr std::array<Row<T>, 5> kReachRows{{
    {"bootstrap", Own<T>{"address", reach_of<read_bootstrap, T>}, "none", "",
     "resolver for the name in `addr`, as in 192.0.2.1 or 192.0.2.1:5353\nWithout it, the "
     "resolvers of /etc/resolv.conf are used, except this daemon. With \"\", no profile of "
     "`network.outbound` sets it."},
    {"bootstrap_version", Own<T>{"one of", reach_of<read_bootstrap_version, T>}, "(both)", "4|6",
     "use only addresses of this family for the name in `addr`"},
    {"socks5", Own<T>{"address", reach_of<read_socks5, T>}, "none", "",
     "SOCKS5 proxy for all queries to upstreams, as in 192.0.2.1:1080\nWith credentials: "
     "`user:password@proxy.example:1080`. The proxy resolves the upstream's name, unless "
     "`dial_addr` or `bootstrap` is set. Queries to a udp:// upstream use the proxy's relay for "
     "datagrams (UDP ASSOCIATE). If it has none, they use TCP through the proxy. No query "
     "bypasses the proxy. With \"\", no profile of `network.outbound` sets a proxy."},
    {"so_mark", Own<T>{"integer", reach_of<read_so_mark, T>}, "(0)", "0..4294967295",
     "packet mark of queries to upstreams (SO_MARK), for policy routing"},
    {"bind_to_device", Own<T>{"text", reach_of<read_device, T>}, "none", "",
     "interface for queries to upstreams"},
}};

}  // namespace steer::config

// rate_limiter: the client had a token, which is taken.
#include <array>

#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<Row<RateMatch>, 4> kRateLimiterRows{{
    {"qps", &RateMatch::qps, "20", "1..100000", "queries a second of one client"},
    {"burst", &RateMatch::burst, "40", "1..65536", "of them at once, after a pause"},
    {"mask4", &RateMatch::mask4, "32", "0..32",
     "IPv4 addresses that begin with as many equal bits are one client"},
    {"mask6", &RateMatch::mask6, "48", "0..128", "the same for IPv6"},
}};

void read_rate_limiter(Reading& in, const Node* node, Plugin& plugin) {
    RateMatch args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kRateLimiterRows, owner_of(plugin), args);
    plugin.args = args;
}

// rate_limiter [QPS [BURST [MASK4 [MASK6]]]]
void read_rate_limiter_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    RateMatch args;
    const std::string owner = owner_of(plugin);
    const auto split = split_words(words);
    if (split.size() > kRateLimiterRows.size()) {
        in.report().error(line, owner + " has " + std::to_string(split.size()) +
                                    " numbers: expected at most four, QPS BURST MASK4 MASK6");
    }
    for (std::size_t i = 0; i < split.size() && i < kRateLimiterRows.size(); ++i) {
        Node value;
        value.kind = Node::Kind::text;
        value.line = line;
        value.text = split[i];
        const auto member = std::get<std::uint32_t RateMatch::*>(kRateLimiterRows[i].field);
        read_value(in, value, {kRateLimiterRows[i].name, owner, line}, kRateLimiterRows[i].range,
                   args.*member);
    }
    plugin.args = args;
}

}  // namespace

const PluginType kRateLimiterType{"rate_limiter",
                                  Role::matcher,
                                  "Holds while the client asks no more often than this; each time "
                                  "that it holds takes one. All workers count "
                                  "together; refreshes in the background and `trusted_forwarders` "
                                  "are not counted, and it holds for them. A "
                                  "reload begins anew.",
                                  "rate_limiter [QPS [BURST [MASK4 [MASK6]]]]",
                                  "",
                                  [] { return row_texts(kRateLimiterRows); },
                                  read_rate_limiter,
                                  read_rate_limiter_quick};

}  // namespace steer::config

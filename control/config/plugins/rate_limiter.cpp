// rate_limiter: takes a token of the client; holds if one was available.
#include <algorithm>
#include <array>
#include <charconv>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr double kMinQps = 0.001, kMaxQps = 4294967295.0;

void read_qps(Reading& in, const Node& node, const Place& place, RateMatch& out) {
    double value = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto [last, error] =
        std::from_chars(node.text.data(), end, value, std::chars_format::fixed);
    if (!node.is_text() || error != std::errc{} || last != end || !(value >= kMinQps) ||
        value > kMaxQps) {
        in.report().error(
            place.line, place.name() + found(node) + "expected a number within 0.001..4294967295");
        return;
    }
    out.qps = value;
}

// A burst that refills for longer than a day is shortened.
void check_burst(Reading& in, const RateMatch& args, const std::string& owner, int line) {
    if (args.burst <= args.qps * kLongestRefillS || args.burst == 1) return;
    in.report().warn(line, "'burst' of " + owner + " exceeds the refill of 'qps' in one day (" +
                               std::to_string(args.burst) + "): using " +
                               std::to_string(std::max<std::uint64_t>(
                                   1, static_cast<std::uint64_t>(args.qps * kLongestRefillS))));
}

constexpr std::array<Row<RateMatch>, 4> kRateLimiterRows{{
    {"qps", Own<RateMatch>{"number", read_qps}, "20", "0.001..4294967295",
     "queries per second of one client; `0.5` is one query every two seconds"},
    {"burst", &RateMatch::burst, "40", "1..4294967295",
     "maximum queries at once after a pause; at most the refill of one day"},
    {"mask4", &RateMatch::mask4, "32", "0..32", "prefix length that identifies an IPv4 client"},
    {"mask6", &RateMatch::mask6, "48", "0..128", "the same for IPv6"},
}};

void read_rate_limiter(Reading& in, const Node* node, Plugin& plugin) {
    RateMatch args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRateLimiterRows, owner, args);
    const Node* const burst = map.find("burst");
    check_burst(in, args, owner, burst != nullptr ? burst->line : plugin.line);
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
        rows::read_one(in, kRateLimiterRows[i], value, {kRateLimiterRows[i].name, owner, line},
                       args);
    }
    check_burst(in, args, owner, line);
    plugin.args = args;
}

}  // namespace

const PluginType kRateLimiterType{
    "rate_limiter",
    Role::matcher,
    "Matches while the client stays below a rate. Each match counts as one query.\n\nAll workers "
    "count together. Background refreshes and `trusted_forwarders` are not counted and always "
    "match. A reload resets the counts.",
    "rate_limiter [QPS [BURST [MASK4 [MASK6]]]]",
    "",
    [] { return row_texts(kRateLimiterRows); },
    read_rate_limiter,
    read_rate_limiter_quick};

}  // namespace steer::config

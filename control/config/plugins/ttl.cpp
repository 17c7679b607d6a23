// ttl: changes the TTLs of the current response.
#include <optional>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "dataplane/dns/wire.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct TtlArgs {
    std::optional<std::uint32_t> fix;
    std::uint32_t min = 0, max = 0;  // 0: none
};

void read_fix(Reading& in, const Node& node, const Place& place, TtlArgs& out) {
    std::uint32_t fix = 0;
    if (read_value(in, node, place, "0..2147483647", fix)) out.fix = fix;
}

constexpr std::array<Row<TtlArgs>, 3> kTtlRows{{
    {"fix", Own<TtlArgs>{"integer", read_fix}, "none", "0..2147483647",
     "TTL of every record in seconds; `min` and `max` are then ignored"},
    {"min", &TtlArgs::min, "0", "0..2147483647", "minimum TTL in seconds"},
    {"max", &TtlArgs::max, "0", "0..2147483647", "maximum TTL in seconds; 0: no limit"},
}};

void finish_ttl(Reading& in, const TtlArgs& args, int line, Plugin& plugin) {
    Ttl out;
    if (args.fix) {
        out.least_s = out.most_s = *args.fix;
        if (*args.fix == 0) {
            in.report().warn(line, owner_of(plugin) +
                                       " sets every TTL to 0, so that nothing is cached (in mosdns "
                                       "'fix: 0' has no effect)");
        }
    } else if (args.min == 0 && args.max == 0) {
        in.report().warn(
            line, owner_of(plugin) + " has no effect: set 'fix', 'min' or 'max', in seconds");
    } else if (args.max != 0 && args.min > args.max) {
        in.report().error(line, owner_of(plugin) + ": 'min' " + std::to_string(args.min) +
                                    " is more than 'max' " + std::to_string(args.max) +
                                    ": lower it");
    } else {
        out.least_s = args.min;
        if (args.max != 0) out.most_s = args.max;
    }
    plugin.args = out;
}

std::optional<std::uint32_t> seconds_of(std::string_view text) {
    const auto number = parse_integer(text);
    if (!number || *number > dns::kMaxTtlS) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

// ttl 300, ttl 60-600, ttl 60-0
void read_ttl_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    TtlArgs args;
    const std::string_view text = trimmed(words);
    const auto dash = text.find('-');
    const auto first = seconds_of(trimmed(text.substr(0, dash)));
    const auto second = dash == std::string_view::npos ? std::optional<std::uint32_t>(0)
                                                       : seconds_of(trimmed(text.substr(dash + 1)));
    if (!first || !second) {
        in.report().error(line, owner_of(plugin) + " has " + matchers::quoted(text) +
                                    ": expected seconds, as in 'ttl 300', 'ttl 60-600', or "
                                    "'ttl 60-0' without an upper limit");
        plugin.args = Ttl{};
        return;
    }
    if (dash == std::string_view::npos) {
        args.fix = first;
    } else {
        args.min = *first;
        args.max = *second;
    }
    finish_ttl(in, args, line, plugin);
}

void read_ttl(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_ttl_quick(in, node->text, node->line, plugin);
    TtlArgs args;
    Node empty;
    const std::size_t before = in.report().error_count();
    if (read_rows(in, args_or_empty(node, plugin, empty), kTtlRows, owner_of(plugin), args) &&
        in.report().error_count() == before)
        return finish_ttl(in, args, plugin.line, plugin);
    plugin.args = Ttl{};
}

}  // namespace

const PluginType kTtlType{"ttl",
                          Role::executor,
                          "Changes the TTLs of the current response. Place it after the executor "
                          "that brings the response. For a cached answer, the remaining TTL is "
                          "changed. The TTL of a stale answer is never raised.",
                          "ttl SECONDS | ttl MIN-MAX",
                          "",
                          [] { return row_texts(kTtlRows); },
                          read_ttl,
                          read_ttl_quick};

}  // namespace steer::config

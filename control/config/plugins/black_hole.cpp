// black_hole: answers every name with the same answer.
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<std::string_view, 6> kModes{"nxdomain", "nodata",  "null",
                                                 "custom",   "refused", "servfail"};

constexpr std::string_view kModeWords = "nxdomain|nodata|null|custom|refused|servfail";

struct BlackHoleArgs {
    std::optional<BlackHoleMode> mode;
    std::vector<IpAddress> ips;
    bool short_circuit = false;
};

void read_mode(Reading& in, const Node& node, const Place& place, BlackHoleArgs& out) {
    if (const auto index = read_choice(in, node, place, kModeWords))
        out.mode = static_cast<BlackHoleMode>(*index);
}

void read_ip(Reading& in, const Text& text, const Place& place, BlackHoleArgs& out) {
    if (const auto ip = IpAddress::parse(text.value)) {
        out.ips.push_back(*ip);
    } else {
        in.report().error(text.line, place.name() + ": " + matchers::quoted(text.value) +
                                         " is not an IP address");
    }
}

void read_ips(Reading& in, const Node& node, const Place& place, BlackHoleArgs& out) {
    for (const Text& text : read_texts(in, node, place))
        read_ip(in, text, place, out);
}

constexpr std::array<Row<BlackHoleArgs>, 3> kBlackHoleRows{{
    {"mode", Own<BlackHoleArgs>{"one of", read_mode}, "(`custom` with `ips`, else `nxdomain`)",
     kModeWords,
     "kind of answer\n`null` answers 0.0.0.0 and ::, `custom` the addresses in `ips`, `nodata` "
     "NOERROR without records."},
    {"ips", Own<BlackHoleArgs>{"list of addresses", read_ips}, "none", "",
     "with `custom`: addresses for A and AAAA"},
    {"short_circuit", &BlackHoleArgs::short_circuit, "false", "",
     "the answer ends the whole program"},
}};

void finish_black_hole(Reading& in, BlackHoleArgs args, int line, bool all_read, Plugin& plugin) {
    BlackHole out;
    out.mode =
        args.mode.value_or(args.ips.empty() ? BlackHoleMode::nxdomain : BlackHoleMode::custom);
    const bool custom = out.mode == BlackHoleMode::custom;
    if (all_read && custom && args.ips.empty()) {
        in.report().error(line, owner_of(plugin) + " is 'custom' and has no 'ips': write some");
    } else if (!custom && !args.ips.empty()) {
        in.report().error(line, owner_of(plugin) + " has 'ips', which '" +
                                    std::string(kModes[static_cast<std::size_t>(out.mode)]) +
                                    "' does not use: remove them, or write 'custom'");
    }
    out.ips = std::move(args.ips);
    out.short_circuit = args.short_circuit;
    plugin.args = std::move(out);
}

// black_hole [MODE] [IP...] [short_circuit[=BOOL]]
void read_black_hole_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    BlackHoleArgs args;
    bool all_read = true;
    for (const auto word : split_words(words)) {
        const auto mode = std::find(kModes.begin(), kModes.end(), lowered(word));
        if (word.starts_with("short_circuit")) {
            read_short_circuit(in, word, {"short_circuit", owner, line}, args.short_circuit);
        } else if (mode != kModes.end()) {
            args.mode = static_cast<BlackHoleMode>(mode - kModes.begin());
        } else if (const auto ip = IpAddress::parse(word)) {
            args.ips.push_back(*ip);
        } else {
            all_read = false;
            in.report().error(line, owner + ": " + matchers::quoted(word) +
                                        " is neither an IP address nor nxdomain, nodata, null, "
                                        "custom, refused or servfail");
        }
    }
    finish_black_hole(in, std::move(args), line, all_read, plugin);
}

void read_black_hole(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_black_hole_quick(in, node->text, node->line, plugin);
    BlackHoleArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kBlackHoleRows, owner_of(plugin), args);
    finish_black_hole(in, std::move(args), plugin.line, map.find("ips") == nullptr, plugin);
}

}  // namespace

const PluginType kBlackHoleType{
    "black_hole",
    Role::executor,
    "Answers every query itself, with a TTL of 300 s. Queries for a type or family without an "
    "address get NOERROR without records. An SOA record lets clients cache that.",
    "black_hole [MODE] [IP...] [short_circuit]",
    "",
    [] { return row_texts(kBlackHoleRows); },
    read_black_hole,
    read_black_hole_quick};

}  // namespace steer::config

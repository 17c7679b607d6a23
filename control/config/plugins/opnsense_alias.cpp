// opnsense_alias: writes the addresses of answers into aliases of OPNsense routers.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/plugins/on_full.h"
#include "control/config/plugins/share_rows.h"
#include "control/config/sections/claim_prefixes.h"
#include "control/config/values.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxAliasName = 31;

struct OpnsenseAliasArgs : OpnsenseAlias {
    std::string router_name;
    std::vector<Text> router_names;
};

void read_opnsense_names(Reading& in, const Node& node, const Place& place,
                         OpnsenseAliasArgs& out) {
    out.router_names = read_texts(in, node, place);
    if (out.router_names.empty()) {
        in.report().error(place.line,
                          place.name() + " is empty: write the names of one or more of 'opnsense'");
    }
}

// Names as OPNsense checks them; and none of its own tables, whose elements must stay.
template <std::string OpnsenseAlias::*Member>
void read_alias_name(Reading& in, const Node& node, const Place& place, OpnsenseAliasArgs& out) {
    constexpr std::array<std::string_view, 4> kOwnTables{"bogons", "bogonsv6", "sshlockout",
                                                         "virusprot"};
    const std::string& name = node.text;
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const bool is_good =
        node.is_text() && !name.empty() && name.size() <= kMaxAliasName && name != "_" &&
        !name.starts_with("__") && (is_letter(name.front()) || name.front() == '_') &&
        std::ranges::all_of(
            name, [&](char c) { return is_letter(c) || matchers::is_digit(c) || c == '_'; });
    if (!is_good) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected an alias's name: 1 to 31 letters, digits and "
                                          "'_', not beginning with a digit or two '_'");
    } else if (std::ranges::find(kOwnTables, name) != kOwnTables.end()) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ", a table of OPNsense itself: create an alias of its "
                                          "own for SteerDNS");
    } else {
        out.*Member = name;
    }
}

void read_alias_never(Reading& in, const Node& node, const Place& place, OpnsenseAliasArgs& out) {
    out.never_claim = read_never_claim(in, node, place);
}

void read_alias_allow(Reading& in, const Node& node, const Place& place, OpnsenseAliasArgs& out) {
    out.allow_claim = read_prefixes(in, node, place);
}

constexpr std::array<Row<OpnsenseAliasArgs>, 19> kOpnsenseOwnRows{{
    {"router", &OpnsenseAliasArgs::router_name, "none", "",
     "router in `opnsense`; it or `routers` is required"},
    {"routers", Own<OpnsenseAliasArgs>{"list of names", read_opnsense_names}, "none", "",
     "several routers that all hold this list, such as a CARP pair\nOPNsense does not copy the "
     "tables of aliases to its peer."},
    {"quorum", choice<OpnsenseAliasArgs, &OpnsenseAliasArgs::quorum>(), "healthy",
     "healthy|any|all",
     "with several routers and `async: false`: routers that an answer waits for\n`healthy`: all "
     "reachable routers. `any`: the first router. `all`: every router; while one is unreachable, "
     "`on_timeout` applies at once."},
    {"ready", choice<OpnsenseAliasArgs, &OpnsenseAliasArgs::ready>(), "off", "off|any|all",
     "routers of this list that `/readyz` needs\n`any`: it fails while none of them can be "
     "written. `all`: it fails while one of them cannot: it is unreachable, or an alias of the "
     "list may not be written. A lost router counts after 3 s; the bypass does not count. Set it "
     "only if the other boxes of the service reach the routers by another way: else all boxes "
     "stop being ready at once."},
    {"alias4", Own<OpnsenseAliasArgs>{"name", read_alias_name<&OpnsenseAlias::alias4>}, "none", "",
     "alias for IPv4; it or `alias6` is required\nIts type is External (advanced), its "
     "description contains SteerDNS, and nothing else writes it. `alias4` and `alias6` may be the "
     "same alias."},
    {"alias6", Own<OpnsenseAliasArgs>{"name", read_alias_name<&OpnsenseAlias::alias6>}, "none", "",
     "alias for IPv6"},
    {"async", &OpnsenseAliasArgs::async, "true", "",
     "`false`: an answer waits until its addresses are in the alias"},
    {"sync_timeout", &OpnsenseAliasArgs::sync_timeout, "500ms", "1ms..30s",
     "with `async: false`: how long an answer waits at most\nAfter three slower writes in a row "
     "no answer waits, until a write is faster again."},
    {"on_timeout", choice<OpnsenseAliasArgs, &OpnsenseAliasArgs::on_timeout>(), "answer",
     "answer|servfail|drop", "with `async: false`: action when `sync_timeout` expires"},
    on_full_row<OpnsenseAliasArgs>(),
    {"missing_family", choice<OpnsenseAliasArgs, &OpnsenseAliasArgs::missing_family>(), "answer",
     "answer|nodata",
     "answer for a family without an alias\nWith `nodata`, HTTPS and SVCB records also lose the "
     "hints of that family."},
    {"min_ttl", &OpnsenseAliasArgs::min_ttl, "60s", "1s..24d", "minimum lifetime of an element"},
    {"max_ttl", &OpnsenseAliasArgs::max_ttl, "1h", "1s..24d",
     "maximum lifetime of an element\nAfter a restart, hosts in the alias that no client uses are "
     "deleted after this time."},
    {"extra_time", &OpnsenseAliasArgs::extra_time, "30s", "0s..1d",
     "how much longer than the client's TTL an element lives"},
    {"cap_answer_ttl", &OpnsenseAliasArgs::cap_answer_ttl, "true", "",
     "lower the answer's TTL so that no client caches an address longer than the alias holds it"},
    {"never_claim", Own<OpnsenseAliasArgs>{"list of prefixes", read_alias_never},
     kNeverClaimDefault, "", kNeverClaimText},
    {"allow_claim", Own<OpnsenseAliasArgs>{"list of prefixes", read_alias_allow}, "none", "",
     kAllowClaimText},
    {"max_elements", &OpnsenseAliasArgs::max_elements, "50000", "1..1000000",
     "maximum elements of each alias\nOPNsense limits all tables together: Firewall Maximum Table "
     "Entries in Firewall: Settings: Advanced."},
    {"max_addresses", &OpnsenseAliasArgs::max_addresses, "32", "1..4096",
     "maximum addresses of one answer\nFurther addresses are removed from the answer."},
}};
constexpr auto kOpnsenseAliasRows = joined(kOpnsenseOwnRows, share_rows<OpnsenseAliasArgs>());

class OpnsenseCheck {
  public:
    OpnsenseCheck(Reading& in, const Node& map, const Plugin& plugin)
        : in_(in), map_(map), plugin_(plugin), owner_(owner_of(plugin)) {}

    void all(OpnsenseAliasArgs& args) {
        routers(args);
        families(args);
        times(args);
    }

  private:
    [[nodiscard]] int line_of(std::string_view key) const {
        const Node* const value = map_.find(key);
        return value == nullptr ? plugin_.line : value->line;
    }

    void routers(OpnsenseAliasArgs& args) {
        const bool one = map_.find("router") != nullptr, many = map_.find("routers") != nullptr;
        if (!one && !many) {
            in_.report().error(plugin_.line, "'router' is missing in " + owner_ +
                                                 ": write the name of one in 'opnsense'");
        }
        if (one && many) {
            in_.report().error(line_of("routers"),
                               owner_ + " has 'router' and 'routers': keep one of them");
            return;
        }
        if (one && !args.router_name.empty())
            router(args, {args.router_name, line_of("router")}, "router");
        for (const Text& name : args.router_names)
            router(args, name, "routers");
    }

    void router(OpnsenseAliasArgs& args, const Text& name, std::string_view key) {
        const auto& known = in_.settings().opnsense;
        const auto at = std::ranges::find(known, name.value, &OpnsenseRouter::name);
        if (at == known.end()) {
            std::vector<std::string_view> names;
            names.reserve(known.size());
            for (const OpnsenseRouter& router : known)
                names.push_back(router.name);
            const std::string hint = did_you_mean(name.value, names);
            in_.report().error(
                name.line,
                "there is no router " + matchers::quoted(name.value) + " in 'opnsense'" +
                    (hint.empty() ? ", as '" + std::string(key) + "' of " + owner_ + " says"
                                  : hint));
            return;
        }
        const auto index = static_cast<OpnsenseIndex>(at - known.begin());
        if (std::ranges::find(args.routers, index) == args.routers.end()) {
            args.routers.push_back(index);
        } else {
            in_.report().error(name.line, "router " + matchers::quoted(name.value) +
                                              " appears twice in 'routers' of " + owner_ +
                                              ": remove one");
        }
    }

    void families(const OpnsenseAliasArgs& args) {
        const bool v4 = map_.find("alias4") != nullptr, v6 = map_.find("alias6") != nullptr;
        if (!v4 && !v6) {
            in_.report().error(plugin_.line,
                               owner_ + " has no alias: write 'alias4', 'alias6' or both");
        } else if (v4 != v6 && args.missing_family == MissingFamilyMode::answer) {
            in_.report().warn(plugin_.line, owner_ + " has no '" + (v4 ? "alias6" : "alias4") +
                                                "': " + (v4 ? "IPv6" : "IPv4") +
                                                " connections to its names do not follow the "
                                                "policy; add the alias, or write 'missing_family: "
                                                "nodata'");
        }
    }

    void times(const OpnsenseAliasArgs& args) {
        if (args.min_ttl > args.max_ttl) {
            in_.report().error(line_of("min_ttl"), "'min_ttl' of " + owner_ + " (" +
                                                       duration_text(args.min_ttl) +
                                                       ") is longer than 'max_ttl' (" +
                                                       duration_text(args.max_ttl) + "): lower it");
        }
        if (args.max_ttl <= args.extra_time) {
            in_.report().error(line_of("max_ttl"), "'max_ttl' of " + owner_ + " (" +
                                                       duration_text(args.max_ttl) +
                                                       ") is not longer than 'extra_time' (" +
                                                       duration_text(args.extra_time) +
                                                       "): raise it, or lower 'extra_time'");
        }
    }

    Reading& in_;
    const Node& map_;
    const Plugin& plugin_;
    const std::string owner_;
};

void read_opnsense_alias(Reading& in, const Node* node, Plugin& plugin) {
    OpnsenseAliasArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kOpnsenseAliasRows, owner_of(plugin), args))
        OpnsenseCheck(in, map, plugin).all(args);
    plugin.args = static_cast<OpnsenseAlias&&>(args);
}

}  // namespace

const PluginType kOpnsenseAliasType{
    "opnsense_alias",
    Role::executor,
    "Adds the addresses of the response to aliases of OPNsense routers: A and AAAA records, and "
    "the hints of HTTPS and SVCB. Firewall rules with a gateway then choose the path of "
    "connections to them. It wraps the rest of its sequence.\n\nElements of an alias have no "
    "timeout. SteerDNS deletes each when its "
    "lease has ended. It was tried against a simulator, not against a real OPNsense: see "
    "[opnsense.md](../guides/opnsense.md).",
    "",
    "",
    [] { return row_texts(kOpnsenseAliasRows); },
    read_opnsense_alias,
    nullptr,
    {.sink = Sink::opnsense}};

}  // namespace steer::config

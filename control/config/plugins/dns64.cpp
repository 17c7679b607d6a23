// dns64: AAAA records for names with A records only, in the prefix of a NAT64 (RFC 6147, 6052).
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/values.h"
#include "dataplane/dns/pref64.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kExpectedPrefix =
    ": expected the prefix of a NAT64 with a length of 32, 40, 48, 56, 64 or 96 bits (RFC 6052 "
    "2.2), such as 64:ff9b::/96 or 2001:db8:64::/96";

// No value: it is not a prefix, and an error is reported.
std::optional<dns::Pref64> read_pref64(Reading& in, const Text& text, const std::string& owner) {
    const auto refuse = [&](std::string_view why) {
        in.report().error(text.line, matchers::quoted(text.value) + " in 'prefix' of " + owner +
                                         std::string(why) + std::string(kExpectedPrefix));
        return std::nullopt;
    };
    const auto slash = text.value.find('/');
    const auto address = IpAddress::parse(trimmed(std::string_view(text.value).substr(0, slash)));
    if (!address || slash == std::string::npos) return refuse(" is not a prefix");
    if (address->is_v4()) return refuse(" is a prefix of IPv4 addresses");
    const auto length = parse_integer(trimmed(std::string_view(text.value).substr(slash + 1)));
    if (!length ||
        !dns::Pref64::is_length(static_cast<unsigned>(std::min<std::uint64_t>(*length, 999))))
        return refuse(" has a length that NAT64 does not use");
    dns::Pref64 out;
    out.length = static_cast<std::uint8_t>(*length);
    out.prefix = address->bytes;
    const auto host = out.prefix.begin() + out.length / 8;
    if (std::any_of(host, out.prefix.end(), [](std::uint8_t b) { return b != 0; }))
        return refuse(" has host bits set");
    if (out.prefix[8] != 0) return refuse(" has bits 64 to 71 that are not zero");
    return out;
}

struct PrefixArgs {
    std::string prefix;
    int line = 0;
    std::vector<matchers::Prefix> ipv4;
};

void read_dns64_text(Reading& in, const Node& node, const Place& place, PrefixArgs& out) {
    read_value(in, node, place, {}, out.prefix);
    out.line = place.line;
}

std::vector<matchers::Prefix> read_ipv4(Reading& in, const Node& node, const Place& place) {
    auto prefixes = read_prefixes(in, node, place);
    constexpr unsigned kMappedBits = 96;
    for (const matchers::Prefix& p : prefixes) {
        if (p.address.is_v4() && p.length >= kMappedBits) continue;
        in.report().error(
            place.line, matchers::quoted(p.to_string()) + " in " + place.name() +
                            " is not a prefix of IPv4 addresses: expected one such as 10.0.0.0/8");
    }
    return prefixes;
}

void read_only(Reading& in, const Node& node, const Place& place, PrefixArgs& out) {
    out.ipv4 = read_ipv4(in, node, place);
}

constexpr std::array<Row<PrefixArgs>, 2> kPrefixRows{{
    {"prefix", Own<PrefixArgs>{"prefix", read_dns64_text}, "required", "",
     "of 32 to 64 or 96 bits"},
    {"ipv4", Own<PrefixArgs>{"list of IPv4 prefixes", read_only}, "none", "",
     "IPv4 addresses that use this prefix; default: all that no earlier prefix covers"},
}};

void read_prefix_item(Reading& in, const Node& node, const std::string& owner, Dns64& out) {
    PrefixArgs args;
    if (node.is_text()) {
        args.prefix = node.text;
        args.line = node.line;
    } else {
        read_rows(in, node, kPrefixRows, "'prefix' of " + owner, args);
        if (args.line == 0) return;  // was reported
    }
    if (const auto prefix = read_pref64(in, {args.prefix, args.line}, owner))
        out.prefixes.push_back({*prefix, std::move(args.ipv4), args.line});
}

void read_prefix(Reading& in, const Node& node, const Place& place, Dns64& out) {
    const std::string owner(place.owner);
    if (!node.is_list()) return read_prefix_item(in, node, owner, out);
    for (const Node& item : node.items)
        read_prefix_item(in, item, owner, out);
}

// A list adds to a default; an empty one takes it away.
void warn_if_empty(Reading& in, const Node& node, const Place& place, const std::string& effect) {
    if (node.is_list() && node.items.empty())
        in.report().warn(place.line, place.name() + " is []: " + effect +
                                         "; remove it if that is "
                                         "not wanted");
}

void read_exclude(Reading& in, const Node& node, const Place& place, Dns64& out) {
    warn_if_empty(in, node, place, "IPv4 addresses inside AAAA records (::ffff:0:0/96) count");
    out.exclude = read_prefixes(in, node, place);
}
void read_exclude_ipv4(Reading& in, const Node& node, const Place& place, Dns64& out) {
    warn_if_empty(
        in, node, place,
        "private and other special IPv4 addresses are translated, with 64:ff9b::/96, too");
    out.exclude_ipv4 = read_ipv4(in, node, place);
}
template <auto Member>
void read_dns64_names(Reading& in, const Node& node, const Place& place, Dns64& out) {
    read_name_rules(in, node, place, out.*Member);
}

constexpr std::array<Row<Dns64>, 8> kDns64Rows{{
    {"prefix", Own<Dns64>{"prefix, or list of prefixes and maps", read_prefix}, "(64:ff9b::/96)",
     "",
     "prefix of the NAT64\nWith several prefixes, write a list of maps: `{prefix: ..., ipv4: "
     "[...]}`. The first one that covers the IPv4 address is used."},
    {"translate_all", &Dns64::translate_all, "false", "",
     "synthesize AAAA records even for names that have their own\nThe synthesized records replace "
     "the original AAAA records. A name without A records keeps its AAAA records."},
    {"allow_ipv4", &Dns64::allow_ipv4, "false", "",
     "also serve clients that query over IPv4; otherwise they get the upstream's answer"},
    {"exclude", Own<Dns64>{"list of prefixes", read_exclude}, "none", "",
     "further ranges whose AAAA records are ignored (RFC 6147 5.1.4)\nThey add to ::ffff:0:0/96. "
     "`[]` leaves that out, with a warning."},
    {"exclude_ipv4", Own<Dns64>{"list of IPv4 prefixes", read_exclude_ipv4}, "none", "",
     "further ranges whose A records are not translated\nThey add to private and other special "
     "addresses with the prefix 64:ff9b::/96 (RFC 6052 3.1). `[]` leaves those out, with a "
     "warning."},
    {"except", Own<Dns64>{"list of rules, `$TAG`, `&FILE`", read_dns64_names<&Dns64::except>},
     "none", "", "names without DNS64"},
    {"keep", Own<Dns64>{"list of rules, `$TAG`, `&FILE`", read_dns64_names<&Dns64::keep>}, "none",
     "", "with `translate_all`: names that keep their own AAAA records"},
    {"claim", choice<Dns64, &Dns64::claim>(), "ipv4", "ipv6|ipv4|both",
     "addresses that address lists receive for a synthesized address\n`ipv6` is the synthesized "
     "address, which clients connect to. `ipv4` is the address behind the NAT64. `both` selects "
     "both."},
}};

void finish_dns64(Reading& in, Dns64 args, Plugin& plugin) {
    if (args.prefixes.empty()) args.prefixes.push_back({dns::kWellKnownPref64, {}, plugin.line});
    if (!args.keep.empty() && !args.translate_all) {
        in.report().warn(
            plugin.line,
            "'keep' of " + owner_of(plugin) +
                " has no effect without 'translate_all: true': AAAA records are kept anyway");
    }
    for (std::size_t i = 0; i + 1 < args.prefixes.size(); ++i) {
        if (!args.prefixes[i].ipv4.empty()) continue;
        in.report().warn(args.prefixes[i + 1].line,
                         "prefix " + std::to_string(i + 1) + " of " + owner_of(plugin) +
                             " covers all addresses, so later prefixes are never used: set its "
                             "'ipv4', or move it to the end");
        break;
    }
    plugin.args = std::move(args);
}

void read_dns64(Reading& in, const Node* node, Plugin& plugin) {
    Dns64 args;
    Node empty;
    const std::size_t before = in.report().error_count();
    read_rows(in, args_or_empty(node, plugin, empty), kDns64Rows, owner_of(plugin), args);
    if (in.report().error_count() == before)
        finish_dns64(in, std::move(args), plugin);
    else
        plugin.args = std::move(args);
}

// dns64 [PREFIX]
void read_dns64_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    Dns64 args;
    for (const auto word : split_words(words)) {
        const auto prefix = read_pref64(in, {std::string(word), line}, owner_of(plugin));
        if (prefix) args.prefixes.push_back({*prefix, {}, line});
    }
    if (args.prefixes.empty() && !words.empty())
        plugin.args = std::move(args);
    else
        finish_dns64(in, std::move(args), plugin);
}

}  // namespace

const PluginType kDns64Type{
    "dns64",
    Role::executor,
    "DNS64 (RFC 6147): answers AAAA queries for names that have only A records with addresses in "
    "the prefix of a NAT64. It wraps the rest of its sequence, which runs for AAAA and A in "
    "parallel.\n\n- **Place**: after the `cache`, which then stores the synthesized answers. With "
    "`allow_ipv4: false`, a cache before it stores answers for IPv4 and IPv6 clients "
    "separately.\n- **Answers**: CNAME and DNAME chains are kept. The TTL is at most that of the "
    "SOA in the empty answer, or 600 s without an SOA. NXDOMAIN is passed on. Other errors of the "
    "AAAA query count as \"no AAAA records\".\n- **Other names and types**: PTR names of addresses "
    "in the prefix become CNAMEs to in-addr.arpa. `ipv4only.arpa` is answered locally (RFC 8880). "
    "An `ipv4hint` of SVCB and HTTPS gets a matching `ipv6hint`.\n- **DNSSEC**: queries with DO "
    "and CD are passed on, because the client validates. With DO alone, synthesized answers have "
    "no AD bit.",
    "dns64 [PREFIX...]",
    "",
    [] { return row_texts(kDns64Rows); },
    read_dns64,
    read_dns64_quick};

}  // namespace steer::config

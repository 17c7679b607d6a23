// ipset, nftset: write the addresses of answers into kernel sets.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/plugins/kernel_sets.h"
#include "control/config/plugins/on_full.h"
#include "control/config/plugins/share_rows.h"
#include "control/config/reference.h"
#include "control/config/sections/claim_prefixes.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxIpsetName = 31;      // IPSET_MAXNAMELEN - 1
constexpr std::size_t kMaxNftablesName = 255;  // NFT_NAME_MAXLEN - 1

// Settings that both types have.
template <class Args>
constexpr std::array<Row<Args>, 12> life_rows() {
    constexpr auto kNeverClaim = [](Reading& in, const Node& node, const Place& place, Args& out) {
        out.never_claim = read_never_claim(in, node, place);
    };
    constexpr auto kAllowClaim = [](Reading& in, const Node& node, const Place& place, Args& out) {
        out.allow_claim = read_prefixes(in, node, place);
    };
    return {{
        {"ready", choice<Args, &Args::ready>(), "off", "off|any|all",
         "whether `/readyz` needs the sets of this list\n`any` and `all` mean the same here. "
         "`/readyz` fails while steerdns-sets does not run, or a set is missing or cannot be "
         "written. A loss counts after 3 s."},
        {"async", &Args::async, "true", "",
         "`false`: an answer waits until its addresses are in the set\nThen the first connection "
         "after an answer already finds them."},
        {"sync_timeout", &Args::sync_timeout, "100ms", "1ms..30s",
         "with `async: false`: how long an answer waits at most"},
        {"on_timeout", choice<Args, &Args::on_timeout>(), "answer", "answer|servfail|drop",
         "with `async: false`: action when `sync_timeout` expires"},
        on_full_row<Args>(),
        {"min_ttl", &Args::min_ttl, "60s", "1s..24d", "minimum lifetime of an element"},
        {"max_ttl", &Args::max_ttl, "1d", "1s..24d", "maximum lifetime of an element"},
        {"extra_time", &Args::extra_time, "30s", "0s..1d",
         "how much longer than the client's TTL an element lives"},
        {"cap_answer_ttl", &Args::cap_answer_ttl, "true", "",
         "lower the answer's TTL so that no client caches an address longer than the set holds it"},
        {"never_claim", Own<Args>{"list of prefixes", kNeverClaim}, kNeverClaimDefault, "",
         kNeverClaimText},
        {"allow_claim", Own<Args>{"list of prefixes", kAllowClaim}, "none", "", kAllowClaimText},
        {"max_elements", &Args::max_elements, "50000", "1..1000000",
         "maximum elements of each set"},
    }};
}

// ---- checks that both share

bool check_kernel_sets_name(Reading& in, const std::string& name, std::size_t most,
                            const Place& place) {
    const bool good = !name.empty() && name.size() <= most && is_printable_word(name) &&
                      name.find_first_of("\"'\\;{}") == std::string::npos;
    if (!good) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ": expected 1 to " + std::to_string(most) +
                                          " letters, digits, '_', '-', '.'");
    }
    return good;
}

void no_set(Reading& in, const Plugin& plugin, std::string_view expected) {
    in.report().error(plugin.line, owner_of(plugin) + " has no set: " + std::string(expected));
}

std::optional<std::uint32_t> mask_of(std::string_view text, bool v6) {
    const auto mask = parse_integer(text);
    if (!mask || *mask > (v6 ? 128U : 32U)) return std::nullopt;
    return static_cast<std::uint32_t>(*mask);
}

using Parts = std::vector<std::string_view>;
Parts split_at(std::string_view text, char separator) {
    Parts parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

// Adds an inline set to `args`, unless its family already has one.
void take_kernel_sets(Reading& in, const Plugin& plugin, int line, bool v6, KernelSet set,
                      KernelSets& args) {
    auto& place = v6 ? args.v6 : args.v4;
    if (place) {
        in.report().error(line, owner_of(plugin) + " has two sets for " + (v6 ? "IPv6" : "IPv4") +
                                    ": keep one, and write another " + std::string(plugin.type) +
                                    " for the other");
        return;
    }
    place = std::move(set);
}

// The inline form of a set: parts between commas. The last one is the mask, the one before it the family.
struct QuickForm {
    std::size_t parts;
    std::string_view v4, v6;  // what says the family
    std::string_view expected, example, one_example;
};

// Each word is a set: `make` reads its parts or reports an error.
template <class Make>
void read_kernel_sets_quick(Reading& in, std::string_view words, int line, Plugin& plugin,
                            const QuickForm& form, Make&& make) {
    KernelSets args;
    const std::size_t before = in.report().error_count();
    for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
        const Parts parts = split_at(word, ',');
        const bool whole = parts.size() == form.parts;
        const std::string_view family = whole ? parts[form.parts - 2] : "";
        const bool v6 = whole && family == form.v6;
        const auto mask = whole ? mask_of(parts.back(), v6) : std::nullopt;
        if (!mask || *mask == 0 || (!v6 && family != form.v4)) {
            in.report().error(line, owner_of(plugin) + " has " + matchers::quoted(word) +
                                        ": expected " + std::string(form.expected) + ", as in " +
                                        std::string(form.example));
            continue;
        }
        if (std::optional<KernelSet> set = make(parts, v6, *mask))
            take_kernel_sets(in, plugin, line, v6, std::move(*set), args);
    }
    if (!args.v4 && !args.v6 && in.report().error_count() == before)
        no_set(in, plugin, "write it as in " + std::string(form.one_example));
    plugin.args = std::move(args);
}

// ---- ipset

struct IpsetArgs : KernelSets {
    std::string set_name4, set_name6;
    std::uint32_t mask4 = 24, mask6 = 32;
};

constexpr std::array<Row<IpsetArgs>, 4> kIpsetOwnRows{{
    {"set_name4", &IpsetArgs::set_name4, "none", "", "set for IPv4; it or `set_name6` is required"},
    {"set_name6", &IpsetArgs::set_name6, "none", "", "set for IPv6"},
    {"mask4", &IpsetArgs::mask4, "24", "1..32",
     "prefix length of IPv4 elements, in sets of prefixes (`hash:net`)"},
    {"mask6", &IpsetArgs::mask6, "32", "1..128", "the same for IPv6"},
}};
constexpr auto kIpsetRows =
    joined(joined(kIpsetOwnRows, life_rows<IpsetArgs>()), share_rows<IpsetArgs>());

constexpr std::string_view kIpsetQuick = "ipset NAME,inet,MASK [NAME,inet6,MASK]";

void read_ipset_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    constexpr QuickForm kForm{3,
                              "inet",
                              "inet6",
                              "NAME,inet,MASK or NAME,inet6,MASK",
                              "'ipset policy4,inet,24 policy6,inet6,64'",
                              "'ipset policy4,inet,24 policy6,inet6,64'"};
    read_kernel_sets_quick(
        in, words, line, plugin, kForm,
        [&](const Parts& parts, bool, std::uint32_t mask) -> std::optional<KernelSet> {
            KernelSet set{"", "", std::string(parts[0]), mask};
            if (!check_kernel_sets_name(in, set.name, kMaxIpsetName,
                                        {"set", owner_of(plugin), line}))
                return std::nullopt;
            return set;
        });
}

void read_ipset(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_ipset_quick(in, node->text, node->line, plugin);
    IpsetArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const std::string owner = owner_of(plugin);
    if (read_rows(in, map, kIpsetRows, owner, args)) {
        for (const bool v6 : {false, true}) {
            const std::string_view key = v6 ? "set_name6" : "set_name4";
            const Node* const value = map.find(key);
            if (value == nullptr) continue;
            const std::string& name = v6 ? args.set_name6 : args.set_name4;
            if (!check_kernel_sets_name(in, name, kMaxIpsetName, {key, owner, value->line}))
                continue;
            (v6 ? args.v6 : args.v4) = KernelSet{"", "", name, v6 ? args.mask6 : args.mask4};
        }
        if (map.find("set_name4") == nullptr && map.find("set_name6") == nullptr)
            no_set(in, plugin, "write 'set_name4', 'set_name6' or both");
        check_set_lives(in, map, plugin, args);
    }
    plugin.args = static_cast<KernelSets&&>(args);
}

// ---- nftset

struct NftablesSet {
    std::string table_family, table_name, set_name;
    std::uint32_t mask4 = 24, mask6 = 48;
};
constexpr std::string_view kTableFamilies = "ip, ip6 or inet";

bool is_family(std::string_view text) {
    return text == "ip" || text == "ip6" || text == "inet";
}

constexpr std::array<Row<NftablesSet>, 4> kSetRows4{{
    {"table_family", &NftablesSet::table_family, "required", "",
     "ip or inet (in `ipv6`: ip6 or inet)"},
    {"table_name", &NftablesSet::table_name, "required", "", "name of the table"},
    {"set_name", &NftablesSet::set_name, "required", "",
     "set of type ipv4_addr (in `ipv6`: ipv6_addr)"},
    {"mask", &NftablesSet::mask4, "24", "1..32",
     "prefix length of elements, with `flags interval` (in `ipv6`: 48)\nIt is longer where it "
     "would "
     "contain an address that is never claimed."},
}};
constexpr std::array<Row<NftablesSet>, 4> kSetRows6{{
    {"table_family", &NftablesSet::table_family, "required", "", "ip6 or inet"},
    {"table_name", &NftablesSet::table_name, "required", "", "name of the table"},
    {"set_name", &NftablesSet::set_name, "required", "", "set of type ipv6_addr"},
    {"mask", &NftablesSet::mask6, "48", "1..128", "same as for IPv4"},
}};

// The set if it is valid; else no value and a reported error.
std::optional<KernelSet> checked(Reading& in, const NftablesSet& set, bool v6, std::uint32_t mask,
                                 const std::string& owner, int line) {
    if (!is_family(set.table_family)) {
        in.report().error(line, "'table_family' of " + owner + " is " +
                                    matchers::quoted(set.table_family) + ": expected " +
                                    std::string(kTableFamilies));
        return std::nullopt;
    }
    if (set.table_family == (v6 ? "ip" : "ip6")) {
        in.report().error(line, owner + " has a table of family " + set.table_family + " for " +
                                    (v6 ? "IPv6" : "IPv4") +
                                    " addresses, but such tables never see them: write " +
                                    (v6 ? "ip6" : "ip") + " or inet");
        return std::nullopt;
    }
    if (!check_kernel_sets_name(in, set.table_name, kMaxNftablesName,
                                {"table_name", owner, line}) ||
        !check_kernel_sets_name(in, set.set_name, kMaxNftablesName, {"set_name", owner, line}))
        return std::nullopt;
    return KernelSet{set.table_family, set.table_name, set.set_name, mask};
}

struct NftsetArgs : KernelSets {
    std::string table_family4, table_name4, set_name4, table_family6, table_name6, set_name6;
    std::uint32_t flat_mask4 = 24, flat_mask6 = 48;
};

template <bool V6>
void read_set(Reading& in, const Node& node, const Place& place, NftsetArgs& out) {
    NftablesSet set;
    const std::string owner = place.name();
    const auto& rows = V6 ? kSetRows6 : kSetRows4;
    const std::size_t before = in.report().error_count();
    if (!read_rows(in, node, rows, owner, set) || in.report().error_count() != before) return;
    (V6 ? out.v6 : out.v4) = checked(in, set, V6, V6 ? set.mask6 : set.mask4, owner, place.line);
}

constexpr std::array<Row<NftsetArgs>, 10> kNftsetOwnRows{{
    {"ipv4", Own<NftsetArgs>{"map", read_set<false>}, "none", "",
     "set for IPv4, see below; it or `ipv6` is required"},
    {"ipv6", Own<NftsetArgs>{"map", read_set<true>}, "none", "", "set for IPv6"},
    {"table_family4", &NftsetArgs::table_family4, "none", "",
     "`ipv4.table_family` in ForgeDNS's form"},
    {"table_name4", &NftsetArgs::table_name4, "none", "", "`ipv4.table_name`"},
    {"set_name4", &NftsetArgs::set_name4, "none", "", "`ipv4.set_name`"},
    {"mask4", &NftsetArgs::flat_mask4, "24", "1..32", "`ipv4.mask`"},
    {"table_family6", &NftsetArgs::table_family6, "none", "", "`ipv6.table_family`"},
    {"table_name6", &NftsetArgs::table_name6, "none", "", "`ipv6.table_name`"},
    {"set_name6", &NftsetArgs::set_name6, "none", "", "`ipv6.set_name`"},
    {"mask6", &NftsetArgs::flat_mask6, "48", "1..128", "`ipv6.mask`"},
}};
constexpr auto kNftsetRows =
    joined(joined(kNftsetOwnRows, life_rows<NftsetArgs>()), share_rows<NftsetArgs>());

// The flat keys of one family.
void read_flat(Reading& in, const Node& map, const Plugin& plugin, bool v6, NftsetArgs& args) {
    const std::array<std::string_view, 3> keys =
        v6 ? std::array<std::string_view, 3>{"table_family6", "table_name6", "set_name6"}
           : std::array<std::string_view, 3>{"table_family4", "table_name4", "set_name4"};
    const auto written =
        std::count_if(keys.begin(), keys.end(), [&](auto key) { return map.find(key) != nullptr; });
    if (written == 0) return;
    const std::string owner = owner_of(plugin);
    const auto at =
        std::find_if(keys.begin(), keys.end(), [&](auto key) { return map.find(key) == nullptr; });
    const char* const whole = v6 ? "ipv6" : "ipv4";
    if (at != keys.end()) {
        in.report().error(plugin.line, "'" + std::string(*at) + "' is missing in " + owner +
                                           ": a set needs table family, table name and set name");
        return;
    }
    const int line = map.find(keys[0])->line;
    if (map.find(whole) != nullptr) {
        in.report().error(line, owner + " has '" + whole + "' and '" + std::string(keys[0]) +
                                    "': keep one of them");
        return;
    }
    NftablesSet set;
    set.table_family = v6 ? args.table_family6 : args.table_family4;
    set.table_name = v6 ? args.table_name6 : args.table_name4;
    set.set_name = v6 ? args.set_name6 : args.set_name4;
    (v6 ? args.v6 : args.v4) =
        checked(in, set, v6, v6 ? args.flat_mask6 : args.flat_mask4, owner, line);
}

constexpr std::string_view kNftsetQuick =
    "nftset FAMILY,TABLE,SET,ipv4_addr,MASK [FAMILY,TABLE,SET,ipv6_addr,MASK]";

void read_nftset_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    constexpr QuickForm kForm{
        5,
        "ipv4_addr",
        "ipv6_addr",
        "FAMILY,TABLE,SET,ipv4_addr,MASK or ...,ipv6_addr,MASK",
        "'nftset inet,fw4,policy4,ipv4_addr,24 inet,fw4,policy6,ipv6_addr,48'",
        "'nftset inet,fw4,policy4,ipv4_addr,24'"};
    read_kernel_sets_quick(in, words, line, plugin, kForm,
                           [&](const Parts& parts, bool v6, std::uint32_t mask) {
                               NftablesSet set;
                               set.table_family = parts[0];
                               set.table_name = parts[1];
                               set.set_name = parts[2];
                               return checked(in, set, v6, mask, owner_of(plugin), line);
                           });
}

void read_nftset(Reading& in, const Node* node, Plugin& plugin) {
    if (node != nullptr && node->is_text())
        return read_nftset_quick(in, node->text, node->line, plugin);
    NftsetArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    const std::size_t before = in.report().error_count();
    if (read_rows(in, map, kNftsetRows, owner_of(plugin), args)) {
        read_flat(in, map, plugin, false, args);
        read_flat(in, map, plugin, true, args);
        check_set_lives(in, map, plugin, args);
        if (!args.v4 && !args.v6 && in.report().error_count() == before)
            no_set(in, plugin, "write 'ipv4', 'ipv6' or both");
    }
    plugin.args = static_cast<KernelSets&&>(args);
}

}  // namespace

void check_set_lives(Reading& in, const Node& map, const Plugin& plugin, const KernelSets& args) {
    const auto line_of = [&](std::string_view key) {
        const Node* const value = map.find(key);
        return value == nullptr ? plugin.line : value->line;
    };
    if (args.min_ttl > args.max_ttl) {
        in.report().error(line_of("min_ttl"), "'min_ttl' of " + owner_of(plugin) + " (" +
                                                  duration_text(args.min_ttl) +
                                                  ") is longer than 'max_ttl' (" +
                                                  duration_text(args.max_ttl) + "): lower it");
    }
    if (args.max_ttl <= args.extra_time) {
        in.report().error(line_of("max_ttl"), "'max_ttl' of " + owner_of(plugin) + " (" +
                                                  duration_text(args.max_ttl) +
                                                  ") is not longer than 'extra_time' (" +
                                                  duration_text(args.extra_time) +
                                                  "): raise it, or lower 'extra_time'");
    }
}

const PluginType kIpsetType{
    "ipset",
    Role::executor,
    "Adds the addresses of the response to kernel sets (ipset): A and AAAA records, and the hints "
    "of HTTPS and SVCB. Place it after the executor that brings the response.\n\nIn a set with "
    "timeouts, elements expire with the lease and are renewed, also by cached answers. In a set "
    "without timeouts, elements stay until you remove them.",
    kIpsetQuick,
    "",
    [] { return row_texts(kIpsetRows); },
    read_ipset,
    read_ipset_quick,
    {.sink = Sink::kernel}};

const PluginType kNftsetType{"nftset",
                             Role::executor,
                             "Like `ipset`, for nftables sets.",
                             kNftsetQuick,
                             "",
                             [] { return row_texts(kNftsetRows); },
                             read_nftset,
                             read_nftset_quick,
                             {.sink = Sink::kernel, .reference = [](std::ostream& out) {
                                  write_part(out, "ipv4", row_texts(kSetRows4));
                              }}};

}  // namespace steer::config

// `policy:`: special names, and queries that most resolvers do not forward.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "control/config/sections/section_rows.h"
#include "control/config/special_names.h"
#include "control/config/values.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// `off`, or a text of at most that many printable characters.
template <std::optional<std::string> Policy::*text>
void read_identity(Reading& in, const Node& node, const Place& place, Policy& out) {
    constexpr std::size_t kMostCharacters = 64;
    const bool fits = node.is_text() && !node.text.empty() && node.text.size() <= kMostCharacters &&
                      std::ranges::all_of(node.text, [](char c) { return c >= ' ' && c <= '~'; });
    if (!fits) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected off, hostname, or 1..64 printable ASCII "
                                          "characters");
        return;
    }
    out.*text = lowered(node.text) == "off" ? std::string() : node.text;
}

void read_resolve_special(Reading& in, const Node& node, const Place& place, Policy& out) {
    std::vector<Text> wanted;
    if (node.is_text() && lowered(node.text) == "all") {
        wanted.push_back({node.text, place.line});
    } else {
        wanted = read_texts(in, node, place);
    }
    for (const Text& item : wanted) {
        const std::vector<std::string> names = special_names_of(item.value);
        if (names.empty()) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             " is not answered here: expected all, a name such "
                                             "as home.arpa, or a prefix such as 192.168.0.0/16; "
                                             "docs/reference/configuration.md has the names");
        }
        out.resolve_special.insert(out.resolve_special.end(), names.begin(), names.end());
    }
}

struct NorecurseMap {
    std::vector<matchers::Prefix> cache, forward;
};
template <auto Member>
void read_clients(Reading& in, const Node& node, const Place& place, NorecurseMap& out) {
    out.*Member = read_prefixes(in, node, place);
}
constexpr std::array<Row<NorecurseMap>, 2> kNorecurseRows{{
    {"cache", Own<NorecurseMap>{"list of prefixes", read_clients<&NorecurseMap::cache>}, "none", "",
     "clients that get cached answers"},
    {"forward", Own<NorecurseMap>{"list of prefixes", read_clients<&NorecurseMap::forward>}, "none",
     "", "clients whose queries are resolved"},
}};

void read_norecurse(Reading& in, const Node& node, const Place& place, Policy& out) {
    if (node.is_map()) {
        NorecurseMap map;
        read_rows(in, node, kNorecurseRows, place.name(), map);
        out.norecurse = NorecurseMode::refuse;
        out.norecurse_cache = std::move(map.cache);
        out.norecurse_forward = std::move(map.forward);
        return;
    }
    if (const auto index = read_choice(in, node, place, "refuse|cache|forward"))
        out.norecurse = static_cast<NorecurseMode>(*index);
}

void read_rebind_names(Reading& in, const Node& node, const Place& place, Policy& out) {
    for (const Text& item : read_texts(in, node, place)) {
        if (const auto name = matchers::parse_name(item.value, {.alone = true})) {
            out.rebind_names.push_back(*name);
        } else {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             " is not a name: expected one such as lan; " +
                                             name.error().text);
        }
    }
}
void read_rebind_nets(Reading& in, const Node& node, const Place& place, Policy& out) {
    out.rebind_nets = read_prefixes(in, node, place);
}

// Both list what else `rebind: block` lets pass.
void check_rebind(Reading& in, const Node& node) {
    const Node* const rebind = node.find("rebind");
    if (rebind != nullptr && lowered(rebind->text) != "pass") return;
    for (const std::string_view key : {"rebind_names", "rebind_nets"}) {
        if (const Node* const at = node.find(key)) {
            in.report().warn(at->line, "'" + std::string(key) +
                                           "' of 'policy' does nothing without 'rebind: block': "
                                           "write it, or remove this");
        }
    }
}

constexpr std::array<Row<Policy>, 12> kPolicyRows{{
    {"local_names", choice<Policy, &Policy::local_names>(), "nxdomain", "nxdomain|forward",
     "answer for unknown names under .local, which belong to mDNS (RFC 6762)\nWith `nxdomain`, "
     "unknown names under .local get NXDOMAIN and no upstream is queried. The "
     "exceptions are those of `resolve_special`. With `forward` they are resolved like other "
     "names."},
    {"canaries", choice<Policy, &Policy::canaries>(), "pass", "pass|nxdomain",
     "answer for the names with which Firefox and iCloud check for private DNS\nThe names are "
     "use-application-dns.net, mask.icloud.com, mask-h2.icloud.com and all names below them. With "
     "`nxdomain`, Firefox and iCloud Private Relay keep using this resolver. With `pass` they are "
     "resolved like other names."},
    {"resolve_special", Own<Policy>{"`all`, or list of names and prefixes", read_resolve_special},
     "none", "",
     "special-use names and empty zones that are resolved like other names\nNames of the table "
     "below, or prefixes for their reverse zones, as in `[home.arpa, 192.168.0.0/16]`. Without it, "
     "no upstream is asked for these names (RFC 6761, 6303). Records, leases, a `zone`, a FWD "
     "record and a `forward` with `local: true` come first. So does a `forward` behind a `qname` "
     "that names one of them, and all names below, by a rule `full:` or `domain:`."},
    {"any", choice<Policy, &Policy::any>(), "hinfo", "hinfo|refuse|forward",
     "answer for queries of type ANY that no record of the configuration answers\n`hinfo`: one "
     "record HINFO \"RFC8482\", as RFC 8482 says. `refuse`: REFUSED. `forward`: they are resolved "
     "like other types, which helps reflection attacks."},
    {"norecurse", Own<Policy>{"`refuse`, `cache`, `forward`, or a map", read_norecurse}, "refuse",
     "",
     "answer for queries without RD that no record of the configuration answers\n`refuse`: REFUSED "
     "with EDE 20. `cache`: a cached answer within its TTL, else REFUSED. `forward`: they are "
     "resolved like others. A map has prefixes of clients, as in `{cache: [192.0.2.0/24], forward: "
     "[198.51.100.7]}`; other clients are refused. Names of a `zone` and of FWD records are always "
     "resolved."},
    {"rebind", choice<Policy, &Policy::rebind>(), "pass", "pass|block",
     "whether upstreams may answer with private addresses (DNS rebinding)\nWith `block`, an answer "
     "with such an address is replaced by one without records (EDE 15). Private, shared, "
     "link-local, loopback and unspecified addresses count, also in hints of HTTPS and SVCB "
     "records. The upstreams of a `zone` and of a FWD record may give "
     "them."},
    {"rebind_names", Own<Policy>{"list of names", read_rebind_names}, "none", "",
     "domains whose names may have private addresses, with `rebind: block`"},
    {"rebind_nets", Own<Policy>{"list of prefixes", read_rebind_nets}, "none", "",
     "private addresses that answers may have, with `rebind: block`"},
    {"designated_name", &Policy::designated_name, "none", "",
     "name in this resolver's certificates, announced to clients for encrypted DNS\nClients that "
     "query `_dns.resolver.arpa` learn the TLS and HTTPS servers under this name (RFC 9462). They "
     "also check that the certificate contains the resolver's address. Without it, all names at "
     "and below resolver.arpa have no records. They are never forwarded."},
    {"version_bind", Own<Policy>{"text", read_identity<&Policy::version_bind>}, "none", "",
     "text of the TXT records `version.bind` and `version.server` (class CHAOS)\n`hostname` stands "
     "for the machine's host name, here and in the next two. Other questions of class CHAOS get "
     "NOTIMP, unless a plugin such as `arbitrary` answers them. They are never forwarded."},
    {"id_server", Own<Policy>{"text", read_identity<&Policy::id_server>}, "none", "",
     "text of the TXT records `id.server` and `hostname.bind` (class CHAOS, RFC 4892)"},
    {"nsid", Own<Policy>{"text", read_identity<&Policy::nsid>}, "none", "",
     "name of this server in answers to queries with the NSID option (RFC 5001)\nAll boxes of an "
     "anycast service can have one configuration, with `hostname`."},
}};

}  // namespace

void read_policy(Reading& in, const Node& node, int line) {
    Policy& policy = in.settings().policy;
    read_rows(in, node, kPolicyRows, "'policy'", policy);
    check_rebind(in, node);
    if (policy.designated_name.empty()) return;
    const auto name = matchers::parse_name(policy.designated_name, {.alone = true});
    if (!name || policy.designated_name.find('.') == std::string::npos) {
        const Node* const at = node.find("designated_name");
        in.report().error(at != nullptr ? at->line : line,
                          "'designated_name' of 'policy' is " +
                              matchers::quoted(policy.designated_name) +
                              ": expected a name such as dns.example.net" +
                              (name ? std::string{} : "; " + name.error().text));
    } else {
        policy.designated_name = *name;
    }
}

std::vector<RowText> policy_row_texts() {
    return row_texts(kPolicyRows);
}

}  // namespace steer::config

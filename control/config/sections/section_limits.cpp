// `limits:`: rows of limits on clients, names and domains. Names of plugins in them are resolved
// after the plugins were read.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string>

#include "control/config/lists/rules.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "dataplane/limits/limit_table.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kMostLimits = 32;
constexpr double kLeastRate = 0.001, kMostBytes = 1e10, kMostOthers = 1e6;
constexpr double kLongestBurstS = 3'600;
constexpr std::uint32_t kLargestPeriod = 30;

// What a kind of row can do, and its defaults.
struct KindFacts {
    LimitKind kind;
    std::uint32_t prefix4, prefix6, slip;
    LimitAction action;
    std::string_view actions;  // allowed ones
    bool is_stream;
};
constexpr std::array<KindFacts, kLimitKinds> kKindFacts{{
    {LimitKind::queries, 24, 56, 0, LimitAction::truncate, "drop truncate refuse servfail", false},
    {LimitKind::bytes, 24, 56, 0, LimitAction::truncate, "drop truncate refuse servfail", false},
    {LimitKind::responses, 24, 56, 2, LimitAction::drop, "drop truncate", false},
    {LimitKind::nxdomain, 0, 0, 2, LimitAction::drop, "drop truncate refuse servfail", false},
    {LimitKind::servfail, 0, 0, 2, LimitAction::drop, "drop truncate refuse servfail", false},
    {LimitKind::connections, 24, 56, 0, LimitAction::drop, "drop", true},
    {LimitKind::handshakes, 24, 56, 0, LimitAction::drop, "drop", true},
    {LimitKind::streams, 24, 56, 0, LimitAction::drop, "drop", true},
}};
#define STEER_LIMIT_WORD(name, ...) "|" #name
constexpr std::string_view kKindWords =
    std::string_view(STEER_LIMIT_KINDS(STEER_LIMIT_WORD)).substr(1);
constexpr std::string_view kActionWords =
    std::string_view(STEER_LIMIT_ACTIONS(STEER_LIMIT_WORD)).substr(1);
#undef STEER_LIMIT_WORD

const KindFacts& facts_of(const Limit& limit) {
    return kKindFacts[static_cast<std::size_t>(limit.kind)];
}

bool read_limit_number(Reading& in, const Node& node, const Place& place, double& out) {
    double value = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto [last, error] =
        std::from_chars(node.text.data(), end, value, std::chars_format::fixed);
    if (!node.is_text() || error != std::errc{} || last != end || !(value >= kLeastRate) ||
        value > kMostBytes) {
        in.report().error(
            place.line, place.name() + found(node) + "expected a number within 0.001..10000000000");
        return false;
    }
    out = value;
    return true;
}
void read_rate(Reading& in, const Node& node, const Place& place, Limit& out) {
    read_limit_number(in, node, place, out.rate);
}
void read_burst(Reading& in, const Node& node, const Place& place, Limit& out) {
    read_limit_number(in, node, place, out.burst);
}

template <std::uint32_t Limit::*Member, std::uint32_t most>
void read_or_default(Reading& in, const Node& node, const Place& place, Limit& out) {
    static const std::string kRange = "0.." + std::to_string(most);
    read_value(in, node, place, kRange, out.*Member);
}

template <LimitClients Limit::*Member>
void read_limit_clients(Reading& in, const Node& node, const Place& place, Limit& out) {
    LimitClients& clients = out.*Member;
    for (const Text& item : read_texts(in, node, place)) {
        if (item.value.starts_with('$')) {
            clients.set_tags.push_back({item.value.substr(1), item.line});
        } else {
            read_prefix(in, item, place, clients.prefixes);
        }
    }
}

void read_listeners(Reading& in, const Node& node, const Place& place, Limit& out) {
    out.listener_tags = read_texts(in, node, place);
}

constexpr std::array<Row<Limit>, 15> kLimitRows{{
    {"what", choice<Limit, &Limit::kind>(), "required", kKindWords, "what is counted, see below"},
    {"name", &Limit::name, "(as `what`)", "",
     "label of the row in metrics, in the log and in `steerctl limits`"},
    {"rate", Own<Limit>{"number", read_rate}, "required", "0.001..10000000000",
     "how many a second; at most 1,000,000, for `bytes` 10,000,000,000"},
    {"burst", Own<Limit>{"number", read_burst}, "(`rate`)", "0.001..10000000000",
     "how many at once after a pause; at least 1, and at most the `rate` of one hour"},
    {"window", &Limit::window, "none", "100ms..1h",
     "the same as a time: `burst` is the `rate` of this time"},
    {"listeners", Own<Limit>{"list of tags", read_listeners}, "(all)", "",
     "servers that the row is for, by their tags"},
    {"clients", Own<Limit>{"list of prefixes and `$TAG`", read_limit_clients<&Limit::clients>},
     "(all)", "", "clients that the row is for: prefixes, or `$TAG` of an ip_set"},
    {"except", Own<Limit>{"list of prefixes and `$TAG`", read_limit_clients<&Limit::except>},
     "none", "", "exempt clients, in addition to `trusted_forwarders`"},
    {"prefix4", Own<Limit>{"integer", read_or_default<&Limit::prefix4, 32>}, "(24, of domains 0)",
     "0..32",
     "prefix length that identifies an IPv4 client; 0: all clients together\n"
     "UDP and TCP are counted apart. A client with a valid DNS cookie is counted by its own "
     "address, or by its IPv6 /64."},
    {"prefix6", Own<Limit>{"integer", read_or_default<&Limit::prefix6, 128>}, "(56, of domains 0)",
     "0..128", "the same for IPv6"},
    {"slip", Own<Limit>{"integer", read_or_default<&Limit::slip, kLargestPeriod>},
     "(2 for answers)", "0..30",
     "with `action: drop`: every n-th dropped one gets an empty answer with TC over UDP; 0: none"},
    {"leak", &Limit::leak, "0", "0..30",
     "every n-th above the limit passes; a multiple of `slip`, but not `slip` itself; 0: none"},
    {"action", choice<Limit, &Limit::action>(), "(see below)", kActionWords,
     "what happens above the limit\n`drop`: no answer. `truncate`: an empty answer with TC over "
     "UDP, so that the client repeats by TCP. `refuse` and `servfail`: that response code with EDE "
     "18. Clients over TCP, TLS and HTTP get REFUSED instead of `drop` and `truncate`. The default "
     "is `truncate` for `queries` and `bytes`, and `drop` for all others. Rows for `connections`, "
     "`handshakes` and `streams` close the connection; a request over HTTP gets 429."},
    {"ban", &Limit::ban, "none", "1s..1h",
     "ban a client that was above the row this long; for `queries` and `bytes`\n"
     "AF_XDP ports drop the UDP queries of a banned prefix in the kernel. One of 8 passes at "
     "random and meets this row. Below the rate it gets TC, so that its client shows its address "
     "by TCP. A ban ends when its prefix was not above the row for 10 s. "
     "`trusted_forwarders` and TCP are never banned. An address with a connection or a valid DNS "
     "cookie is exempt for ten minutes, up to 256 addresses of a ban. Other kinds of ports have no "
     "bans: their workers apply the row alone."},
    {"dry_run", &Limit::dry_run, "false", "",
     "count and log what is above the limit, and let it pass"},
}};

// ---- checks

bool has_key(const Node& node, std::string_view key) {
    return node.find(key) != nullptr;
}

int line_at(const Node& node, std::string_view key) {
    const Node* const at = node.find(key);
    return at != nullptr ? at->line : node.line;
}

void check_numbers(Reading& in, const Node& node, const std::string& owner, Limit& limit) {
    const double most = limit.kind == LimitKind::bytes ? kMostBytes : kMostOthers;
    if (limit.rate > most) {
        in.report().error(line_at(node, "rate"),
                          "'rate' of " + owner + " is above 1000000 a second: write less");
    }
    if (has_key(node, "burst") && has_key(node, "window")) {
        in.report().error(line_at(node, "window"),
                          "'burst' and 'window' of " + owner + " say the same: write one of them");
    }
    if (limit.burst == 0) {
        limit.burst = limit.window.count() == 0
                          ? limit.rate
                          : limit.rate * static_cast<double>(limit.window.count()) / 1000;
    } else if (limit.burst < 1) {
        in.report().error(line_at(node, "burst"), "'burst' of " + owner + " is below 1: write 1");
    }
    limit.burst = std::max(limit.burst, 1.0);
    if (limit.rate > 0 && limit.burst > std::max(limit.rate * kLongestBurstS, 1.0)) {
        in.report().error(line_at(node, "burst"),
                          "'burst' of " + owner + " is above the 'rate' of one hour: write less");
    }
}

void check_action(Reading& in, const Node& node, const std::string& owner, Limit& limit) {
    const KindFacts& facts = facts_of(limit);
    const std::string_view word = name_of(static_cast<steer::LimitAction>(limit.action));
    if (!has_key(node, "action")) {
        limit.action = facts.action;
    } else if (const auto words = split_words(facts.actions);
               std::ranges::find(words, word) == words.end()) {
        std::string expected;
        for (const std::string_view allowed : words)
            expected += (expected.empty() ? "" : " or ") + std::string(allowed);
        in.report().error(
            line_at(node, "action"),
            "'action' of " + owner + " is \"" + std::string(word) + "\": expected " + expected);
    }
    const bool may_slip = limit.action == LimitAction::drop && !facts.is_stream;
    if (limit.slip == kLimitAsKind) {
        limit.slip = may_slip ? facts.slip : 0;
    } else if (limit.slip != 0 && !may_slip) {
        in.report().error(line_at(node, "slip"),
                          "'slip' of " + owner + " needs 'action: drop' over UDP: remove it");
    }
    if (limit.leak != 0 && limit.slip != 0 &&
        (limit.leak % limit.slip != 0 || limit.leak == limit.slip)) {
        in.report().error(line_at(node, "leak"),
                          "'leak' of " + owner + " is " + std::to_string(limit.leak) +
                              ": expected a multiple of its slip, " + std::to_string(limit.slip) +
                              ", but not the slip itself");
    }
}

// A ban drops all queries of a prefix, so the row has to mean all of them.
void check_ban(Reading& in, const Node& node, const std::string& owner, const Limit& limit) {
    constexpr std::uint32_t kShortest4 = 16, kShortest6 = 32, kHost4 = 32, kHost6 = 128;
    constexpr unsigned kMappedBits = 96;
    if (limit.ban.count() == 0) return;
    const int line = line_at(node, "ban");
    if (limit.kind != LimitKind::queries && limit.kind != LimitKind::bytes) {
        in.report().error(line, "'ban' of " + owner + " needs 'what: queries' or 'what: bytes'");
        return;
    }
    if (!limit.listener_tags.empty()) {
        in.report().error(
            line, "'ban' of " + owner + " applies to all servers: remove 'ban' or 'listeners'");
    }
    if (limit.prefix4 < kShortest4 || limit.prefix6 < kShortest6) {
        in.report().error(line, "'ban' of " + owner +
                                    " needs a 'prefix4' of at least 16 and a 'prefix6' of at "
                                    "least 32");
    }
    if (limit.prefix4 == kHost4 && limit.prefix6 == kHost6) return;
    for (const LimitClients* const clients : {&limit.clients, &limit.except}) {
        const bool is_part =
            !clients->set_tags.empty() ||
            std::ranges::any_of(clients->prefixes, [&](const matchers::Prefix& prefix) {
                const bool is_v4 = prefix.address.is_v4() && prefix.length >= kMappedBits;
                return prefix.length > (is_v4 ? kMappedBits + limit.prefix4 : limit.prefix6);
            });
        if (!is_part) continue;
        in.report().error(line,
                          "'ban' of " + owner +
                              " is for whole prefixes, and 'clients' or 'except' may divide one: "
                              "write 'prefix4: 32' and 'prefix6: 128'");
        return;
    }
}

void name_row(Reading& in, const Node& node, const std::string& owner, std::set<std::string>& seen,
              Limit& limit) {
    const std::string base(fact_of(static_cast<LimitWhat>(limit.kind)).name);
    if (limit.name.empty()) {
        limit.name = base;
        for (unsigned n = 2; seen.contains(limit.name); ++n)
            limit.name = base + "_" + std::to_string(n);
    }
    const bool is_word = limit.name.size() <= 32 && std::ranges::all_of(limit.name, [](char c) {
                             return matchers::is_digit(c) || c == '_' || c == '-' ||
                                    (matchers::lower(c) >= 'a' && matchers::lower(c) <= 'z');
                         });
    if (!is_word) {
        in.report().error(line_at(node, "name"),
                          "'name' of " + owner + " is " + matchers::quoted(limit.name) +
                              ": expected up to 32 letters, digits, '-' and '_'");
    } else if (!seen.insert(limit.name).second) {
        in.report().error(line_at(node, "name"), "'name' of " + owner + " is " +
                                                     matchers::quoted(limit.name) +
                                                     ", as another row's: use unique names");
    }
}

std::string owner_at(std::size_t row) {
    return "row " + std::to_string(row + 1) + " of 'limits'";
}

void resolve_sets(Reading& in, LimitClients& clients) {
    for (const Text& tag : clients.set_tags) {
        if (const auto index = in.refer(tag.value, Wanted::ip_set, tag.line))
            clients.sets.push_back(*index);
    }
}

}  // namespace

void read_limits(Reading& in, const Node& node, int line) {
    if (node.is_map() && node.entries.empty() && line == 0) return;  // there is none
    if (!node.is_list()) {
        in.report().error(line,
                          "'limits': expected a list, as in '- { what: queries, rate: 100 "
                          "}', found " +
                              std::string(node.what()));
        return;
    }
    if (node.items.size() > kMostLimits) {
        in.report().error(line, "'limits' has " + std::to_string(node.items.size()) +
                                    " rows: expected " + std::to_string(kMostLimits) + " at most");
        return;
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& item = node.items[i];
        const std::string owner = owner_at(i);
        Limit limit;
        limit.line = item.line;
        if (!read_rows(in, item, kLimitRows, owner, limit)) continue;
        const KindFacts& facts = facts_of(limit);
        if (limit.prefix4 == kLimitAsKind) limit.prefix4 = facts.prefix4;
        if (limit.prefix6 == kLimitAsKind) limit.prefix6 = facts.prefix6;
        check_numbers(in, item, owner, limit);
        check_action(in, item, owner, limit);
        check_ban(in, item, owner, limit);
        name_row(in, item, owner, names, limit);
        in.settings().limits.push_back(std::move(limit));
    }
}

void finish_limits(Reading& in) {
    Settings& settings = in.settings();
    for (Limit& limit : settings.limits) {
        resolve_sets(in, limit.clients);
        resolve_sets(in, limit.except);
        for (const Text& tag : limit.listener_tags) {
            const auto* const known = in.find_tag(tag.value);
            if (known == nullptr || known->role != Role::server) {
                in.report().error(tag.line, matchers::quoted(tag.value) +
                                                " in 'listeners' of "
                                                "limit '" +
                                                limit.name +
                                                "' is not the tag of a server: write one");
                continue;
            }
            if (known->readable && !known->left_out) limit.listeners.push_back(known->index);
        }
    }
}

std::vector<RowText> limit_row_texts() {
    return row_texts(kLimitRows);
}

}  // namespace steer::config

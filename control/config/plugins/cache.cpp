// cache: answers from memory what was answered before.
#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint64_t kMostEntries = 100'000'000;
constexpr std::uint64_t kLeastBytes = std::uint64_t{64} << 10, kMostBytes = std::uint64_t{1} << 40;

bool set_size(std::string_view text, Cache& out) {
    if (const auto entries = parse_integer(text)) {
        if (*entries == 0 || *entries > kMostEntries) return false;
        out.size = *entries;
        out.size_in_bytes = false;
        return true;
    }
    const auto bytes = parse_size(text);
    if (!bytes || *bytes < kLeastBytes || *bytes > kMostBytes) return false;
    out.size = *bytes;
    out.size_in_bytes = true;
    return true;
}

void read_size(Reading& in, const Node& node, const Place& place, Cache& out) {
    if (node.is_text() && set_size(node.text, out)) return;
    in.report().error(
        place.line,
        place.name() +
            (node.is_text() ? " is " + matchers::quoted(node.text) + ": "
                            : ": found " + std::string(node.what()) + ", ") +
            "expected a number of entries, 1..100000000, or bytes with a unit, 64KiB..1TiB");
}

void read_dump_file(Reading& in, const Node& node, const Place& place, Cache& out) {
    std::string path;
    if (read_value(in, node, place, {}, path) && !path.empty()) out.dump_file = in.resolve(path);
}

bool is_off(const Node& node) {
    return node.is_text() && (lowered(node.text) == "off" || parse_boolean(node.text) == false);
}

void read_serve_stale(Reading& in, const Node& node, const Place& place, Cache& out) {
    constexpr Milliseconds kUsual{86'400'000};
    out.serve_stale = Milliseconds{0};
    if (is_off(node)) return;
    if (node.is_text() && parse_boolean(node.text) == true) {
        out.serve_stale = kUsual;
    } else if (node.is_text() && parse_duration(node.text)) {
        read_value(in, node, place, "0s..7d", out.serve_stale);
    } else {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected true (1d), off, or how long, such as 3d");
    }
}

void read_prefetch(Reading& in, const Node& node, const Place& place, Cache& out) {
    constexpr std::uint32_t kUsual = 10, kMost = 50;
    out.prefetch_percent = 0;
    if (is_off(node)) return;
    if (node.is_text() && parse_boolean(node.text) == true) {
        out.prefetch_percent = kUsual;
        return;
    }
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (!percent || *percent == 0 || *percent > kMost) {
        in.report().error(
            place.line,
            place.name() + found(node) + "expected true (10%), off, or a part of the TTL, 1%..50%");
        return;
    }
    out.prefetch_percent = static_cast<std::uint32_t>(*percent);
}

constexpr std::array<Row<Cache>, 20> kCacheRows{{
    {"size", Own<Cache>{"integer or size", read_size}, "1024", "1.. or 64KiB..",
     "entries, or a byte budget with a unit (`64MiB`)"},
    {"short_circuit", &Cache::short_circuit, "false", "", "a hit ends the whole program"},
    {"cache_negative", &Cache::cache_negative, "true", "",
     "NXDOMAIN and empty answers are kept too (RFC 2308)"},
    {"max_negative_ttl", &Cache::max_negative_ttl, "5m", "1s..1d", "longest time for those"},
    {"negative_ttl_without_soa", &Cache::negative_ttl_without_soa, "1m", "0s..1d",
     "time for those that bring no SOA; 0: not kept"},
    {"max_positive_ttl", &Cache::max_positive_ttl, "none", "1s..7d",
     "longest time for answers with records"},
    {"min_positive_ttl", &Cache::min_positive_ttl, "0s", "0s..1d",
     "answers with records and a shorter TTL are not kept, and leave unchanged"},
    {"cache_max_ttl", &Cache::cache_max_ttl, "none", "1s..7d",
     "longest time for any answer, as RouterOS's `cache-max-ttl`; with a limit, TTLs leave within "
     "it"},
    {"cache_min_ttl", &Cache::cache_min_ttl, "0s", "0s..1d",
     "shortest time for answers with records, as dnsmasq's `min-cache-ttl`: shorter TTLs, 0 too, "
     "are raised and leave so"},
    {"failure_ttl", &Cache::failure_ttl, "5s", "0s..5m",
     "how long it is remembered that nobody could answer (RFC 9520): SERVFAIL, REFUSED, silence; "
     "0: "
     "not"},
    {"lazy_cache_ttl", &Cache::lazy_cache_ttl, "0s", "0s..30d",
     "how long past its TTL an answer with records is still served, at once and with a TTL of 5 s, "
     "while one "
     "query asks anew; 0: not"},
    {"serve_stale", Own<Cache>{"duration or true/false", read_serve_stale}, "off", "0s..7d",
     "how long past its TTL an answer is served when no new one comes in time (RFC 8767); true: "
     "1d"},
    {"stale_client_timeout", &Cache::stale_client_timeout, "1800ms", "0ms..10s",
     "with `serve_stale`: how long a client waits for a new answer first; 0: not at all"},
    {"stale_recheck", &Cache::stale_recheck, "30s", "1s..1h",
     "with `serve_stale`: how long upstreams are not asked again after that"},
    {"stale_answer_ttl", &Cache::stale_answer_ttl, "30s", "1s..1h",
     "with `serve_stale`: TTL of such an answer"},
    {"prefetch", Own<Cache>{"part of the TTL or true/false", read_prefetch}, "off", "1%..50%",
     "a popular answer that is hit when this much of its TTL is left is asked anew in the "
     "background; "
     "true: 10%"},
    {"prefetch_hits", &Cache::prefetch_hits, "3", "1..250", "hits that make an answer popular"},
    {"ecs_in_key", &Cache::ecs_in_key, "false", "",
     "answers are kept per client subnet as the client sent it (RFC 7871), which the upstream is "
     "told too"},
    {"dump_file", Own<Cache>{"path", read_dump_file}, "none", "",
     "where the cache is kept over a restart; written with mode 0600 every `dump_interval`, after "
     "at least 1,024 changes, "
     "and at the end. Its folder must be writable for `control.user`. What is not whole, of "
     "another cache, another version "
     "or from the future is not read, and a warning says why"},
    {"dump_interval", &Cache::dump_interval, "600", "1s..1d", "how often"},
}};

void read_cache(Reading& in, const Node* node, Plugin& plugin) {
    Cache args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kCacheRows, owner, args);
    for (const auto& [key, least] : {std::pair{"min_positive_ttl", args.min_positive_ttl},
                                     std::pair{"cache_min_ttl", args.cache_min_ttl}}) {
        if (least <= args.max_positive_ttl) continue;
        const Node* at = map.find(key);
        in.report().error(at == nullptr ? plugin.line : at->line,
                          "'" + std::string(key) + "' of " + owner +
                              " is longer than 'max_positive_ttl' (" +
                              duration_text(args.max_positive_ttl) + "): lower it");
    }
    if (args.lazy_cache_ttl.count() > 0 && args.serve_stale.count() > 0) {
        in.report().error(map.find("lazy_cache_ttl")->line,
                          "'lazy_cache_ttl' and 'serve_stale' of " + owner +
                              " both say when stale answers are served: keep one of them");
    }
    plugin.args = args;
}

// cache [ENTRIES] [short_circuit[=BOOL]]
void read_cache_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    Cache args;
    for (const auto word : split_words(words)) {
        if (word.starts_with("short_circuit")) {
            read_short_circuit(in, word, {"short_circuit", owner, line}, args.short_circuit);
        } else if (!set_size(word, args)) {
            in.report().error(line, owner + ": " + matchers::quoted(word) +
                                        " is neither a size nor 'short_circuit'");
        }
    }
    plugin.args = args;
}

}  // namespace

const PluginType kCacheType{
    "cache",
    Role::executor,
    "Answers from memory; wraps the rest of its sequence, whose answer it keeps.",
    "cache [SIZE] [short_circuit]",
    "",
    [] { return row_texts(kCacheRows); },
    read_cache,
    read_cache_quick};

}  // namespace steer::config

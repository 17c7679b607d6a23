// cache: answers repeated queries from memory.
#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint64_t kMaxEntries = 100'000'000;
constexpr std::uint64_t kMinBytes = std::uint64_t{64} << 10, kMaxBytes = std::uint64_t{1} << 40;

bool set_size(std::string_view text, Cache& out) {
    if (const auto entries = parse_integer(text)) {
        if (*entries == 0 || *entries > kMaxEntries) return false;
        out.size = *entries;
        out.size_in_bytes = false;
        return true;
    }
    const auto bytes = parse_size(text);
    if (!bytes || *bytes < kMinBytes || *bytes > kMaxBytes) return false;
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
    if (read_value(in, node, place, {}, path) && !path.empty())
        out.dump_file = in.resolve(path, place.line);
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
                                          "expected true (1d), off, or a duration such as 3d");
    }
}

void read_prefetch(Reading& in, const Node& node, const Place& place, Cache& out) {
    constexpr std::uint32_t kUsual = 10, kMax = 50;
    out.prefetch_percent = 0;
    if (is_off(node)) return;
    if (node.is_text() && parse_boolean(node.text) == true) {
        out.prefetch_percent = kUsual;
        return;
    }
    const auto percent = node.is_text() ? parse_percent(node.text) : std::nullopt;
    if (!percent || *percent == 0 || *percent > kMax) {
        in.report().error(
            place.line,
            place.name() + found(node) + "expected true (10%), off, or a part of the TTL, 1%..50%");
        return;
    }
    out.prefetch_percent = static_cast<std::uint32_t>(*percent);
}

void read_refresh_concurrency(Reading& in, const Node& node, const Place& place, Cache& out) {
    read_value(in, node, place, "1..1000000", out.lazy_refresh_concurrency);
}

constexpr std::array<Row<Cache>, 22> kCacheRows{{
    {"size", Own<Cache>{"integer or size", read_size}, "1024", "1.. or 64KiB..",
     "number of entries, or memory with a unit (`64MiB`)"},
    {"short_circuit", &Cache::short_circuit, "false", "", "a hit ends the whole program"},
    {"cache_negative", &Cache::cache_negative, "true", "",
     "cache NXDOMAIN and empty answers too (RFC 2308)"},
    {"max_negative_ttl", &Cache::max_negative_ttl, "5m", "1s..1d",
     "maximum TTL of NXDOMAIN and empty answers"},
    {"negative_ttl_without_soa", &Cache::negative_ttl_without_soa, "1m", "0s..1d",
     "TTL of NXDOMAIN and empty answers without SOA; 0: not cached"},
    {"max_positive_ttl", &Cache::max_positive_ttl, "none", "1s..7d",
     "maximum TTL of answers with records"},
    {"min_positive_ttl", &Cache::min_positive_ttl, "0s", "0s..1d",
     "answers with records and a shorter TTL are not cached; their TTL is not changed"},
    {"cache_max_ttl", &Cache::cache_max_ttl, "none", "1s..7d",
     "maximum TTL of all answers, like RouterOS's `cache-max-ttl`\nThe TTLs sent to clients stay "
     "within this limit."},
    {"cache_min_ttl", &Cache::cache_min_ttl, "0s", "0s..1d",
     "minimum TTL of answers with records, like dnsmasq's `min-cache-ttl`\nShorter TTLs, also 0, "
     "are raised, and clients receive the raised TTL."},
    {"failure_ttl", &Cache::failure_ttl, "5s", "0s..5m",
     "how long a failure is cached (RFC 9520): SERVFAIL, REFUSED, timeout; 0: not cached\nIf "
     "upstreams are reached, and only refused the query or closed connections, this is 1 s at "
     "most."},
    {"lazy_cache_ttl", &Cache::lazy_cache_ttl, "0s", "~0s..30d",
     "how long an expired answer is served while it is refreshed; 0: never\nThe expired answer is "
     "sent at once with a TTL of 5 s. One query refreshes it in the background."},
    {"lazy_refresh_concurrency", Own<Cache>{"integer", read_refresh_concurrency}, "none",
     "1..1000000",
     "maximum background refreshes of this cache at one time\nIt counts those of `lazy_cache_ttl` "
     "and of `prefetch`, on all workers. A further expired answer is served without a refresh, "
     "and the next query for it tries again (`steerdns_cache_refreshes_busy_total`). Without it, "
     "background refreshes take at most an eighth of `max_parked`."},
    {"lazy_refresh_failure_cooldown", &Cache::lazy_refresh_failure_cooldown, "5s", "~1s..1d",
     "with `lazy_cache_ttl`: pause after a refresh that brought no answer\nNo query refreshes the "
     "name before the pause ends; the expired answer is served."},
    {"serve_stale", Own<Cache>{"duration or true/false", read_serve_stale}, "off", "0s..7d",
     "how long an expired answer is served when upstreams do not answer (RFC 8767); true: 1d"},
    {"stale_client_timeout", &Cache::stale_client_timeout, "1800ms", "0ms..10s",
     "with `serve_stale`: how long a client waits for a fresh answer first"},
    {"stale_recheck", &Cache::stale_recheck, "30s", "1s..1h",
     "with `serve_stale`: pause before upstreams are queried again for this name"},
    {"stale_answer_ttl", &Cache::stale_answer_ttl, "30s", "1s..1h",
     "with `serve_stale`: TTL of the expired answer"},
    {"prefetch", Own<Cache>{"percentage or true/false", read_prefetch}, "off", "1%..50%",
     "refresh a popular answer in the background when this share of its TTL is left; true: 10%"},
    {"prefetch_hits", &Cache::prefetch_hits, "3", "1..250",
     "number of hits that makes an answer popular"},
    {"ecs_in_key", &Cache::ecs_in_key, "false", "",
     "cache answers per client subnet that the client sent (RFC 7871)\nThe subnet is also sent to "
     "the upstream."},
    {"dump_file", Files<Cache>{"path", read_dump_file}, "none", "",
     "file that keeps the cache over restarts\nIt is written every `dump_interval` after at least "
     "1,024 changes, and after ten intervals with any change. It is also written at shutdown, with "
     "mode 0600. Its folder must be writable for `user` in `control`. A file that is damaged, from "
     "another cache, from another version or from the future is ignored with a warning."},
    {"dump_interval", &Cache::dump_interval, "600", "~1s..1d",
     "interval between two writes of `dump_file`"},
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
                              " both enable stale answers: keep one of them");
    }
    const auto without_effect = [&](std::string_view key, std::string_view needed) {
        const Node* const at = map.find(key);
        if (at == nullptr) return;
        in.report().warn(at->line, "'" + std::string(key) + "' of " + owner +
                                       " has no effect: this cache has no " + std::string(needed) +
                                       "; add it, or remove the key");
    };
    const bool is_lazy = args.lazy_cache_ttl.count() > 0;
    if (!is_lazy) without_effect("lazy_refresh_failure_cooldown", "'lazy_cache_ttl'");
    if (!is_lazy && args.prefetch_percent == 0)
        without_effect("lazy_refresh_concurrency", "'lazy_cache_ttl' and no 'prefetch'");
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
                                        " is neither a size nor 'short_circuit': remove it");
        }
    }
    plugin.args = args;
}

}  // namespace

const PluginType kCacheType{"cache",
                            Role::executor,
                            "Answers from memory. It wraps the rest of its sequence and stores the "
                            "answer that the rest returns.",
                            "cache [SIZE] [short_circuit]",
                            "",
                            [] { return row_texts(kCacheRows); },
                            read_cache,
                            read_cache_quick};

}  // namespace steer::config

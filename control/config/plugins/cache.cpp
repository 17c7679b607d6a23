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

constexpr std::array<Row<Cache>, 11> kRows{{
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
     "shortest time for answers with records"},
    {"lazy_cache_ttl", NotYet{}, "0", "",
     "how long past its TTL an answer may still be served (RFC 8767)"},
    {"dump_file", NotYet{}, "", "", "where the cache is kept over a restart"},
    {"dump_interval", NotYet{}, "600", "", "how often"},
    {"ecs_in_key", NotYet{}, "false", "", "answers are kept per client subnet"},
}};

void read(Reading& in, const Node* node, Plugin& plugin) {
    Cache args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRows, owner, args);
    if (args.min_positive_ttl > args.max_positive_ttl) {
        const Node* at = map.find("min_positive_ttl");
        in.report().error(at == nullptr ? plugin.line : at->line,
                          "'min_positive_ttl' of " + owner +
                              " is longer than 'max_positive_ttl' (" +
                              duration_text(args.max_positive_ttl) + "): lower it");
    }
    plugin.args = args;
}

// cache [ENTRIES] [short_circuit[=BOOL]]
void read_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
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
    [] { return row_texts(kRows); },
    read,
    read_quick};

}  // namespace steer::config

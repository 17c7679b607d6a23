// Sums of queries by minute: totals, and the most frequent names, clients, ends and so on. Kept in
// memory until they are added to the database, which makes hours and days of them.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/observe/recorder/row_batch.h"

namespace steer::recorder {

// The kinds of keys with counts. The numbers are in databases: never change them.
enum class SumKind : std::uint8_t {
    name,
    client,
    end,
    upstream,
    type,
    rcode,
    path,
    transport,
    entry,
    latency,
    decision,
    list,
    blocked_name,  // names, clients and lists of queries that the policy blocked
    blocked_client,
    blocked_list
};
inline constexpr std::array<std::string_view, 15> kSumKinds{
    "name",     "client", "end",          "upstream",       "type",
    "rcode",    "path",   "transport",    "entry",          "latency",
    "decision", "list",   "blocked_name", "blocked_client", "blocked_list"};

// Kinds whose keys tell who asked what: they go when the rows go.
inline constexpr std::array kPersonalKinds{SumKind::name, SumKind::client, SumKind::blocked_name,
                                           SumKind::blocked_client};

struct Totals {
    std::uint64_t queries = 0, cached = 0, stale = 0, forwarded = 0, failed = 0, unanswered = 0,
                  duration_us = 0, blocked = 0;
    bool operator==(const Totals&) const = default;
};

class Sums {
  public:
    // Maximum keys per kind that are counted in memory, and that one flush keeps. Queries of other
    // keys count only in the totals and for the key "".
    static constexpr std::size_t kMostKeys = 100'000, kKept = 500;
    static constexpr std::size_t kMostUpstreams = 256;  // with latency classes
    static constexpr std::size_t kLatencyClasses = 27;  // powers of two up to 67 s
    static constexpr std::int64_t kMinute = 60, kHour = 3600,
                                  kDay = 86'400;  // the stored spans, in seconds
    // Keys per kind that a past hour and a past day keep.
    static constexpr std::size_t kKeptOfHour = 1'000;

    struct Key {
        SumKind kind;
        std::string key;
        std::uint64_t queries, duration_us;
    };

    // The minute of its queries' ends; 0: there are none.
    [[nodiscard]] std::int64_t minute() const { return minute_; }
    // Returns true if this query begins another minute: flush first.
    [[nodiscard]] bool is_over(std::int64_t time_us) const;
    void add(const RowBatch& batch, const Row& row);

    [[nodiscard]] const Totals& totals() const { return totals_; }
    // The most frequent keys of each kind.
    [[nodiscard]] std::vector<Key> keys() const;
    // Queries by upstream and latency class; the key "": of upstreams beyond kMostUpstreams.
    struct Latency {
        std::string_view upstream;  // until the next change of this object
        std::uint32_t bound_us;     // latency_class()
        std::uint64_t queries;
    };
    [[nodiscard]] std::vector<Latency> latencies() const;
    void clear();

  private:
    struct Count {
        std::uint64_t queries = 0, duration_us = 0;
    };
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Counts = boost::unordered_flat_map<std::string, Count, Hash, std::equal_to<>>;
    void count(SumKind kind, std::string_view key, const Row& row);
    void count(SumKind kind, std::uint16_t number, const Row& row);
    void count_word(SumKind kind, std::string_view word, const Row& row);
    void count_latency(std::string_view upstream, const Row& row);

    std::int64_t minute_ = 0;
    Totals totals_;
    std::array<Counts, kSumKinds.size()> counts_;
    boost::unordered_flat_map<std::uint32_t, Count> numbers_;  // kind << 16 | number
    // Kinds with few words that live as long as the program: a search is cheaper than a hash.
    struct Word {
        SumKind kind;
        std::string_view word;
        Count count;
    };
    std::vector<Word> words_;
    boost::unordered_flat_map<std::string, std::array<std::uint64_t, kLatencyClasses>, Hash,
                              std::equal_to<>>
        latencies_;  // by upstream; queries by the exponent of their class
};

// The latency class of a duration: the power of two above it, at least 2, in microseconds.
std::uint32_t latency_class(std::uint32_t duration_us);

}  // namespace steer::recorder

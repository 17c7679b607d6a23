// Sums of query records by name, client and type. A record counts for the number of queries that it
// represents.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/advice/why.h"
#include "dataplane/stages/query_record.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

class HitCounts {
  public:
    // The maximum number of keys per kind; further keys count only in "queries".
    static constexpr std::size_t kMaxKept = 200'000;

    // Selects queries of these clients, for this name (lower-cased wire form) and names below it;
    // empty: all.
    struct Filter {
        std::optional<matchers::Prefix> clients;
        std::vector<std::uint8_t> name;
        [[nodiscard]] bool selects(const QueryRecordView& record) const;
    };
    explicit HitCounts(Filter filter = {}) : filter_(std::move(filter)) {}
    void add(const QueryRecordView& record);

    // All counted names.
    [[nodiscard]] std::vector<config::AskedName> names() const;
    // {"queries", "malformed" (of these), "samples" (records), "lost" (records), "names": [{"name",
    // "queries"}], "clients": [{"client", "queries"}], "types": [{"type", "queries"}]}: the first
    // `top` of each.
    [[nodiscard]] boost::json::object to_json(std::size_t top) const;

    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    template <class Key>
    using Counts = boost::unordered_flat_map<Key, std::uint64_t>;
    template <class Key>
    static void count(Counts<Key>& counts, const Key& key, std::uint64_t queries) {
        if (counts.size() < kMaxKept || counts.contains(key)) counts[key] += queries;
    }

    Filter filter_;
    Counts<std::string> names_;    // lower-cased wire form
    Counts<std::string> clients_;  // as text
    Counts<std::uint16_t> types_;
    std::uint64_t queries_ = 0, malformed_ = 0, samples_ = 0, lost_ = 0;
};

// The first `top` objects of an array, sorted by "queries" in descending order (stable).
void keep_most_asked(boost::json::array& rows, std::size_t top);

}  // namespace steer

// Claims: "list L must hold address A until T". What was promised to clients, and the only reason
// for a timed row; kept while the router is away, so that nothing is lost.
//
// A claim lives until the last lease it was made for has ended; raising it again only ever prolongs
// it and counts. It keeps the first name (the row's `dm`). Bounded per list. Expiry is a heap with
// one lazy entry per claim: O(log n) per claim and per expiry. Memory: about 150 bytes a claim, and
// its name where that is longer than 15 bytes; 50,000 claims ~ 9 MB.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"

namespace steer::routeros {

using ListId = std::uint16_t;  // the caller's number for a policy list on this router

struct ClaimKey {
    ListId list = 0;
    Address address;
    auto operator<=>(const ClaimKey&) const = default;
};
struct ClaimKeyHash {
    std::size_t operator()(const ClaimKey& key) const noexcept;
};

struct Claim {
    std::uint64_t until_ms =
        0;  // the last lease that relies on the row, or what was promised on the board
    std::uint64_t row_until_ms = 0;  // how long the row is meant to live; at least until_ms
    // The longest that an answer wanted its row to live: a cached one wants less than the next one
    // that is fresh.
    std::uint32_t row_life_s = 0;
    std::uint64_t reasons = 0;  // answers that made or prolonged it
    std::string name;           // the first one
    bool permanent = false;     // wants a row without timeout
    std::uint32_t told_s = 0;   // what the board was told, and under which epoch; 0: nothing
    std::uint32_t told_epoch = 0;
};

class Claims {
  public:
    // Makes or prolongs; nothing if the list holds `bound` claims already. `row_until_ms` 0: a row
    // without timeout. The pointer is good until the next raise() or expire().
    Claim* raise(const ClaimKey& key, std::string_view name, std::uint64_t until_ms,
                 std::uint64_t row_until_ms, std::size_t bound);
    [[nodiscard]] Claim* find(const ClaimKey& key);
    [[nodiscard]] const Claim* find(const ClaimKey& key) const;
    // Something that may be relied on was told: the claim lives at least as long.
    void promise(const ClaimKey& key, std::uint64_t until_ms);

    // Takes out one claim that has ended by `now_ms`, if there is one.
    std::optional<std::pair<ClaimKey, Claim>> expire(std::uint64_t now_ms);
    // Not later than the first end of a claim; UINT64_MAX if there are none.
    [[nodiscard]] std::uint64_t next_expiry_ms() const;
    // Drops all claims of a list that is no longer configured.
    void drop_list(ListId list);

    [[nodiscard]] std::size_t size() const { return claims_.size(); }
    [[nodiscard]] std::size_t size(ListId list) const;
    template <class F>
    void for_each(F&& f) const {
        for (const auto& [key, claim] : claims_)
            f(key, claim);
    }

  private:
    struct End {
        std::uint64_t until_ms;
        ClaimKey key;
        bool operator>(const End& other) const { return until_ms > other.until_ms; }
    };
    boost::unordered_flat_map<ClaimKey, Claim, ClaimKeyHash> claims_;
    boost::unordered_flat_map<ListId, std::size_t> per_list_;
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
};

}  // namespace steer::routeros

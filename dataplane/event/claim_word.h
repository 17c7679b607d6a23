// The arithmetic of claims: the largest TTL of an answer, the life of a row, and whether known rows
// cover an answer that is about to leave. Pure. Whole seconds of CLOCK_BOOTTIME: ends are rounded
// down, beginnings (`now` of coverage()) are rounded up, so that no lease outlives its row by a part
// of a second.
//
// With t = the largest TTL that the address records have left, [m, M] = min_ttl, max_ttl, x =
// extra_time, F = fixed_ttl (docs/explanation/architecture.md section 5):
//
//   s = min(t, M - x)                what leaves (cap_answer_ttl)
//   L = max(clamp(t, m, M), s + x)   what the row gets, never above M
//   with fixed_ttl:                  s = min(t, F - x), L = F; with F = 0: s = t, no timeout
//
// Without cap_answer_ttl the TTL that leaves is t and the row still lives no longer than M. Clients may
// then hold an address longer than the routers do, as the operator configured.
//
// A row that lives until U allows TTLs that end at U - x. Lowering a TTL is free: if the row has at
// least half of the wanted time left, the answer leaves with the TTL that the row allows and claims
// nothing, just as a cached TTL counts down. So an address with a long TTL is renewed about
// twice in its row's life, not at each answer. A row that ends sooner is renewed; an answer that
// must not leave before its row (async: false) still does not wait, because it leaves with
// a TTL that the row allows.
#pragma once

#include <cstdint>

#include "dataplane/policy/policy_list.h"

namespace steer {

inline constexpr std::uint32_t kNoLimit = UINT32_MAX;

// The largest TTL for which a row of this list can be kept: M - x, F - x; kNoLimit with F = 0.
std::uint32_t ttl_limit_s(const PolicyList& list) noexcept;
// L; 0: no timeout. `leaving_s` is s of this list: min(what leaves, ttl_limit_s).
std::uint32_t row_life_s(const PolicyList& list, std::uint32_t ttl_s,
                         std::uint32_t leaving_s) noexcept;
// The end of TTLs under a row that lives until `installed_until_s` (from the row board; 0: not
// known).
std::uint32_t ttl_until_s(const PolicyList& list, std::uint32_t installed_until_s) noexcept;

enum class Cover : std::uint8_t {
    covered,  // the row outlives the wanted TTL
    lowered,  // it outlives at least half of it: `ttl_s` is the allowed TTL
    ending,   // there is a row, but it ends too soon: claim it; `ttl_s` is the allowed TTL
    none,     // there is no row, or it ends at once
};
struct Coverage {
    Cover cover;
    std::uint32_t ttl_s;  // <= wanted
};
// `may_lower`: the answer may leave with a smaller TTL than wanted.
Coverage coverage(std::uint32_t wanted_ttl_s, std::uint32_t now_s, std::uint32_t until_s,
                  bool may_lower) noexcept;

// The claims that a cached entry remembers, in its 64-bit claim word: a hit within `ttl_until_s` under
// the same lists and epochs needs no look-up. Any worker writes it,
// relaxed; a lost update costs one look at the row board.
//
// A word whose rows are on the row board holds until they end. A word whose rows were only asked for
// (`is_pending`) also holds the lists' refusals: any refusal of one of its lists takes it back, and the
// next hit asks the row board. So a refused claim never counts as covered, and rows that exist cost
// no look-up while others are refused.
struct ClaimWord {
    std::uint32_t ttl_until_s = 0;  // TTLs may last until then
    // 23 bits: of the lists and their epochs, and refusals; never 0 in a word that is used
    std::uint32_t stamp = 0;
    std::uint8_t raised = 0;  // low 8 bits of the second in which a renewal was last asked for
    bool is_pending = false;  // a row of it was not on the row board

    static ClaimWord unpack(std::uint64_t word) noexcept;
    [[nodiscard]] std::uint64_t pack() const noexcept;
};

inline constexpr std::uint32_t kStampMask = 0x7fffff;

// Mixes one list into a stamp; begin with 0, end with finish_stamp(). The order of the lists does
// not matter.
std::uint64_t mix_stamp(std::uint64_t stamp, ListId list, std::uint32_t epoch) noexcept;
std::uint32_t finish_stamp(std::uint64_t stamp) noexcept;

}  // namespace steer

// The arithmetic of claims: the largest TTL of an answer, the life of a row, and whether known rows
// cover an answer before it is sent. Pure. Times are whole seconds of CLOCK_BOOTTIME. Ends are
// rounded down, beginnings (`now` of coverage()) are rounded up, so that a lease never outlives its
// row.
//
// With t = the largest remaining TTL of the address records, [m, M] = min_ttl, max_ttl, x =
// extra_time, F = fixed_ttl (docs/explanation/architecture.md section 5):
//
//   s = min(t, M - x)                the TTL that is sent (cap_answer_ttl)
//   L = max(clamp(t, m, M), s + x)   the life of the row, never above M
//   with fixed_ttl:                  s = min(t, F - x), L = F; with F = 0: s = t, no timeout
//
// Without cap_answer_ttl, the TTL that is sent is t, and the row still lives no longer than M.
// Clients may then use an address longer than the routers have it. The operator configured this.
//
// A row that lives until U allows TTLs that end at U - x. If the row has at least half of the
// wanted time left, the answer is sent with the TTL that the row allows and claims nothing. A lower
// TTL costs nothing, because cached TTLs count down anyway. So an address with a long TTL is
// renewed about twice in its row's life, not at each answer. A row that ends sooner is renewed. An
// answer that waits for its row (async: false) does not wait in this case, because its TTL is one
// that the row allows.
#pragma once

#include <cstdint>

#include "dataplane/policy/policy_list.h"

namespace steer {

inline constexpr std::uint32_t kNoLimit = UINT32_MAX;

// The largest TTL for which this list can keep a row: M - x or F - x; kNoLimit with F = 0.
std::uint32_t ttl_limit_s(const PolicyList& list) noexcept;
// L; 0: no timeout. `leaving_s` is s of this list: min(the TTL that is sent, ttl_limit_s).
std::uint32_t row_life_s(const PolicyList& list, std::uint32_t ttl_s,
                         std::uint32_t leaving_s) noexcept;
// The end of TTLs that a row allows if it lives until `installed_until_s` (from the row board; 0:
// unknown).
std::uint32_t ttl_until_s(const PolicyList& list, std::uint32_t installed_until_s) noexcept;

enum class Cover : std::uint8_t {
    covered,  // the row outlives the wanted TTL
    lowered,  // the row outlives at least half of it: `ttl_s` is the allowed TTL
    ending,   // the row ends too soon: claim it; `ttl_s` is the allowed TTL
    none,     // there is no row, or it ends now
};
struct Coverage {
    Cover cover;
    std::uint32_t ttl_s;  // <= wanted
};
// `may_lower`: the answer may be sent with a smaller TTL than wanted.
Coverage coverage(std::uint32_t wanted_ttl_s, std::uint32_t now_s, std::uint32_t until_s,
                  bool may_lower) noexcept;

// The claims that a cached entry remembers, in its 64-bit claim word. A hit within `ttl_until_s`
// with the same stamp needs no lookup. Any worker writes it, relaxed. A lost update
// costs one lookup on the row board.
//
// If the row board has all rows of a word, the word holds until they end, or until one of its lists
// loses a row early. If a row was only requested (`is_pending`), the word holds for the claim's
// lease, or until ListState::failures() changes. This is at most half a second after a claim of one
// of its lists was refused, evicted or lost. If answers of a list wait for their rows, a lost row
// ends the word at once. The next hit then checks the row board. Rows that exist need no lookup while
// other claims are refused.
struct ClaimWord {
    std::uint32_t ttl_until_s = 0;  // TTLs may last until this second
    // 23 bits: a hash of the lists, their epochs, and losses or failures; never 0 in a used word.
    std::uint32_t stamp = 0;
    std::uint8_t raised = 0;  // low 8 bits of the second of the last renewal request
    bool is_pending = false;  // a row of the word was not on the row board

    static ClaimWord unpack(std::uint64_t word) noexcept;
    [[nodiscard]] std::uint64_t pack() const noexcept;
};

inline constexpr std::uint32_t kStampMask = 0x7fffff;

// Mixes one list into a stamp. Begin with 0, end with finish_stamp(). The order of the lists has no
// effect.
std::uint64_t mix_stamp(std::uint64_t stamp, ListId list, std::uint32_t epoch) noexcept;
std::uint32_t finish_stamp(std::uint64_t stamp) noexcept;

}  // namespace steer

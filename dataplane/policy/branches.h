// Branches: parts of the program that run in parallel for one query, and the rules for their
// results.
//
// `fallback` has two units (programs of their own): a primary and a secondary. Any response of the
// primary is used. The secondary begins if the primary has no response, ends with an error, or
// takes longer than the threshold. With `always_standby` it begins at once, and its response is
// kept until one of these reasons is true. Then the first response is used. If neither unit has
// one, the result is an error if a unit ended with an error. Else the query continues unchanged.
// Each of the three reasons can be switched off (FallbackTerms). Then the result of the primary is
// final, and the query waits for a late primary.
//
// `prefer_ipv4` and `prefer_ipv6` run the rest of their sequence twice: for the asked type (the
// first branch) and for the preferred one (a probe, "answered" if it has such records). If the
// probe has records, it decides. Else the first branch's outcome is used. When the first branch is
// complete, the probe gets 500 ms more. With `probe_executor`, the probe is a unit instead.
//
// `dns64` (RFC 6147) runs it for AAAA (the first) and for A. A response with AAAA records that
// count, or NXDOMAIN, decides alone. Else A is translated when AAAA is known to be missing, or at
// once with `translate_all`. If there is no A, the AAAA answer is used. Exception: if the A query
// failed, the result is a failure. A client must not learn that a name has no address only because
// a server was unreachable.
//
// Pure. The resolver starts, keeps and ends branches as next_of() says.
#pragma once

#include <array>
#include <cstdint>

namespace steer {

inline constexpr unsigned kMaxBranches = 2;  // per instruction
inline constexpr unsigned kMaxNested = 4;    // branches inside branches; the builder refuses more

struct Branches {
    enum class Is : std::uint8_t {
        not_begun,
        running,
        answered,
        lacking,         // ... with a response that is kept and used only if there is no better one
        without_answer,  // it ended without a response
        failed,          // ... because of an error
    };
    std::array<Is, kMaxBranches> is{};
    bool late = false;      // the first branch's time is over
    std::uint16_t why = 0;  // EDE of the last branch that failed

    // Whether the branch ended with a response.
    static constexpr bool has_response(Is is) { return is == Is::answered || is == Is::lacking; }
    [[nodiscard]] bool failed(unsigned i) const {
        return is[i] == Is::failed || is[i] == Is::without_answer;
    }
};

enum class NextOfBranches : std::uint8_t {
    wait,
    begin_first,
    begin_second,
    take_first,
    take_second,
    none,  // continue without a response
    fail,
};

// When a fallback may use its secondary.
struct FallbackTerms {
    bool always_standby = false;  // the secondary begins with the primary
    bool on_timeout = true, on_error = true, on_no_response = true;

    // Whether it may be used now, given the primary's state.
    [[nodiscard]] constexpr bool is_due(Branches::Is primary, bool late) const {
        return (late && on_timeout) || (primary == Branches::Is::failed && on_error) ||
               (primary == Branches::Is::without_answer && on_no_response);
    }
};

NextOfBranches next_of_fallback(const Branches& b, const FallbackTerms& terms) noexcept;
NextOfBranches next_of_prefer(const Branches& b) noexcept;
NextOfBranches next_of_dns64(const Branches& b, bool translate_all) noexcept;
inline constexpr std::uint32_t kProbeMs = 500;

}  // namespace steer

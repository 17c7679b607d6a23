// Branches: parts of the program that run in parallel for one query, and what the query waits for.
//
// `fallback` has two units (programs of their own): a primary and a secondary. Any response of the primary is taken. The
// secondary begins if the primary has no response, ends with an error, or takes longer than the threshold. With
// `always_standby` it begins at once, and its response is kept until then. After that the first response is taken. If
// neither has one: an error if one of them ended with an error, else the query continues unchanged. Each of the three
// reasons can be switched off (FallbackTerms). Then the primary's end is the end, and a late primary is waited for.
//
// `prefer_ipv4` and `prefer_ipv6` run the rest of their sequence twice: for the asked type (the first branch) and for the
// preferred one (a probe, "answered" if it has such records). If the probe has records, that decides. Else the first
// branch's outcome is taken; when it is complete, the probe gets 500 ms more. With `probe_executor`, the probe is a unit
// instead.
//
// `dns64` (RFC 6147) runs it for AAAA (the first) and for A. AAAA that count, and NXDOMAIN, decide alone. Else A is
// translated, once AAAA is known to be missing, or at once with `translate_all`. If there is no A, the answer to AAAA is
// taken after all, unless A could not be asked: a client must not learn that a name has no address because a
// server was unreachable.
//
// Pure; the resolver starts, keeps and ends branches as next_of() says.
#pragma once

#include <array>
#include <cstdint>

namespace steer {

inline constexpr unsigned kMaxBranches = 2;  // of one instruction
inline constexpr unsigned kMaxNested = 4;    // branches of branches; the builder refuses more

struct Branches {
    enum class Is : std::uint8_t {
        not_begun,
        running,
        answered,
        lacking,  // ... with a response that is used only if there is no better one: it is kept
        without_answer,  // it ended, and there is no response
        failed,          // ... because of an error
    };
    std::array<Is, kMaxBranches> is{};
    bool late = false;      // the time of the first is over
    std::uint16_t why = 0;  // of the last that failed: its EDE

    // Whether it ended with a response.
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
    none,  // go on without a response
    fail,
};

// When the secondary of a fallback counts.
struct FallbackTerms {
    bool always_standby = false;  // it begins with the primary
    bool on_timeout = true, on_error = true, on_no_response = true;

    // Whether it counts now, by the state of the primary.
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

// Branches: parts of the program that a query has run for it beside its own way, and what it waits for then.
//
// `fallback` has two units (programs of their own): a primary and a secondary. Any response of the primary counts. One
// without a response, with an error, or that takes longer than the threshold, lets the secondary begin (with
// `always_standby` it began at once, and its response was kept until now); then the first response counts. If neither
// has one: an error if one of them ended with an error, else the query goes on as it was.
//
// `prefer_ipv4` and `prefer_ipv6` run the rest of their sequence twice: for the type asked (the first branch) and for the
// preferred one (a probe, "answered" if it has such records). If it has, that is all; else the first's outcome is what
// counts, for which the probe is waited for 500 ms after it is there.
//
// `dns64` (RFC 6147) runs it for AAAA (the first) and for A. AAAA that count, and NXDOMAIN, are all that is needed; else A
// that can be translated are, once AAAA is known to be missing, or with `translate_all` at once. If there are none, what
// AAAA brought counts after all, unless that A could not be asked: nobody is told that a name has no address because a
// server was away.
//
// Pure; the resolver begins, keeps and ends branches as next_of() says.
#pragma once

#include <array>
#include <cstdint>

namespace steer {

inline constexpr unsigned kMostBranches = 2;  // of one instruction
inline constexpr unsigned kMostNested = 4;    // branches of branches; the builder refuses more

struct Branches {
    enum class Is : std::uint8_t {
        not_begun,
        running,
        answered,
        lacking,         // ... with a response that counts only if nothing better comes: it is kept
        without_answer,  // it ended, and there is no response
        failed,          // ... because of an error
    };
    std::array<Is, kMostBranches> is{};
    bool late = false;      // the time of the first is over
    std::uint16_t why = 0;  // of the last that failed: its EDE

    // It ended with a response.
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

NextOfBranches next_of_fallback(const Branches& b, bool always_standby) noexcept;
NextOfBranches next_of_prefer(const Branches& b) noexcept;
NextOfBranches next_of_dns64(const Branches& b, bool translate_all) noexcept;
inline constexpr std::uint32_t kProbeMs = 500;

}  // namespace steer

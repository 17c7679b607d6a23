// Checks the cookies of a burst's queries, and refuses queries without one under load (RFC 7873
// 5.2, RFC 9018).
//
// In:   queries with a COOKIE option: found by its place at the end of the message
//       (Burst::cookie_ends), or by parse().
// Out:  Packet::cookie; Query::cookie, the cookie of the reply, with its flags in Edns. A server
//       cookie that is younger than half an hour is returned, else a new one.
// Cost: none without cookies. One SipHash-2-4 a cookie, four in parallel; a second one for a cookie
//       that is wrong, old, or made with the other secret.
// Ends: Verdict::bad_cookie (BADCOOKIE, with a new cookie) for a client's cookie without a valid
//       server cookie, truncated_cookie (TC) without any. Only over UDP, under load, and if the
//       listener requires cookies. Both within the limits on responses (limit.h).
//
// Each worker is under load by its own tables: half of the parked queries or of the outstanding
// queries are in use. It lasts kLoadMs longer, because refused queries need neither.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"

namespace steer {

class Limiter;
class Replier;

class Cookies {
  public:
    static constexpr std::uint64_t kLoadMs = 10'000;
    struct Load {
        unsigned used, capacity;
        [[nodiscard]] bool is_high() const { return used >= (capacity + 1) / 2; }
    };

    explicit Cookies(Counters& counters) : counters_(counters) {}

    // `keys` may be nullptr: cookies are ignored. Call it before each burst's check_ends().
    void begin_turn(const dns::CookieKeys* keys, const Snapshot* snapshot, Now now, Load parked,
                    Load outstanding) noexcept;

    // Whether some listener refuses queries without a valid cookie in this turn. Then the packet
    // cache, which comes first, may not answer.
    [[nodiscard]] bool are_required() const noexcept { return are_required_; }

    // For packets of Burst::cookie_ends, before limits and the packet cache. parse() has not read
    // them. The packets keep the result.
    void check_ends(Burst& burst) noexcept;
    // For packets of Burst::with_cookie, after parse(); under load, for all that are still in the
    // burst. `limiter`: a refusal is a response, and counts as one.
    void check(Burst& burst, Replier& replier, Limiter& limiter, Now now) noexcept;
    // For a reply without an answer: it has a cookie, too.
    void complete(Packet& p) noexcept {
        if (p.query.cookie_length != 0 && p.query.edns.cookie == dns::CookieState::none &&
            keys_ != nullptr) [[unlikely]]
            complete_now(p);
    }

  private:
    // Cookies of clients with addresses of one size, each probably valid.
    struct Lanes {
        std::array<dns::CookieInput, kBurst> in;  // bytes of the messages
        std::array<Packet*, kBurst> packets;
        std::size_t count = 0;
    };
    static_assert(kBurst % dns::kCookieLanes == 0, "the free lanes of a group are in the array");
    // The cookies of a burst.
    struct Batch {
        Lanes v4, v6;
        unsigned valid = 0, client = 0;  // completed packets, by state
    };

    [[nodiscard]] CookieMode mode_of(const Packet& p) const noexcept;
    void complete_now(Packet& p) noexcept;
    // Each sets Packet::cookie, at the latest in finish(). `size`: of the cookie at `at` in the
    // packet's message.
    void judge(Packet& p, std::size_t at, std::size_t size, Batch& batch) noexcept;
    void judge_end(Packet& p, Batch& batch) noexcept;
    void judge_lanes(Lanes& lanes, std::size_t address_size, Batch& batch) noexcept;
    void judge_other(Packet& p, const std::uint8_t* cookie, std::size_t size,
                     Batch& batch) noexcept;
    void finish(Batch& batch) noexcept;
    void refuse(Burst& burst, Replier& replier, Limiter& limiter, Now now) noexcept;

    Counters& counters_;
    const dns::CookieKeys* keys_ = nullptr;
    const Snapshot* snapshot_ = nullptr;
    std::uint32_t now_s_ = 0;  // since 1970
    std::uint64_t load_until_ms_ = 0;
    bool are_required_ = false;
    bool may_be_off_ = false;  // some listener ignores cookies
};

}  // namespace steer

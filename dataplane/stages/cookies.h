// Checks the cookies of a burst's queries, and refuses queries without one under load (RFC 7873
// 5.2, RFC 9018).
//
// In:   queries with a COOKIE option: found by its place at the end of the message (check_ends()),
//       or by parse().
// Out:  Packet::cookie; Query::cookie, the cookie of the reply, with its flags in Edns. A server
//       cookie that is younger than half an hour is returned, else a new one.
// Cost: none without cookies. One SipHash-2-4 a cookie, four in parallel; a second one for a cookie
//       that is wrong, old, or made with the other secret.
// Ends: Verdict::bad_cookie (BADCOOKIE, with a new cookie) for a client's cookie without a valid
//       server cookie, truncated_cookie (TC) without any. Only over UDP, under load, and if the
//       listener requires cookies.
//
// Load belongs to the worker, so a client cannot decide it: half of the parked queries or of the
// outstanding queries are in use. It lasts kLoadMs longer, because refused queries need neither.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"

namespace steer {

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

    // For all UDP queries of the burst, before limits that depend on cookies.
    void check_ends(Burst& burst) noexcept;
    // For packets with Packet::cookie_length, before parse(). The packets keep the result.
    void check_ends(Burst& burst, std::span<const std::uint8_t> places) noexcept;
    // For all packets that are still in the burst, after parse().
    void check(Burst& burst, Replier& replier) noexcept;
    // For a query that ends in parse(): its reply has a cookie, too.
    void complete(Packet& p) noexcept {
        if (p.query.cookie_length != 0 && !p.query.edns.cookie && keys_ != nullptr) [[unlikely]]
            complete_now(p);
    }

    // After the parse of the same message was taken from the packet cache.
    static void restore_flags(Packet& p) noexcept {
        p.query.edns.cookie = p.cookie != dns::CookieState::none;
        p.query.edns.valid_cookie = p.cookie == dns::CookieState::valid;
    }

  private:
    static void set_state(Packet& p, dns::CookieState state) noexcept {
        p.cookie = state;
        restore_flags(p);
    }
    [[nodiscard]] CookieMode mode_of(const Packet& p) const noexcept;
    void complete_now(Packet& p) noexcept;
    // The cookies at Query::cookie_at of these packets.
    void judge(Burst& burst, std::span<const std::uint8_t> places) noexcept;
    // Returns the number of valid ones.
    template <std::size_t AddressSize>
    unsigned judge_lanes(Burst& burst, std::span<const std::uint8_t> places) noexcept;
    void judge_other(Packet& p) noexcept;
    void refuse(Burst& burst, Replier& replier) noexcept;

    Counters& counters_;
    const dns::CookieKeys* keys_ = nullptr;
    const Snapshot* snapshot_ = nullptr;
    std::uint32_t now_s_ = 0;  // since 1970
    std::uint64_t load_until_ms_ = 0;
    bool are_required_ = false;
};

}  // namespace steer

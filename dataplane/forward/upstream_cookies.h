// The cookies that this worker sends to upstreams over UDP (RFC 7873 5.1, 5.3; RFC 9018 3).
//
// - A client cookie is random, and belongs to one upstream and one of our addresses. If our address
//   changes, a new one is made, so that no observer links the two addresses.
// - The upstream's server cookie is kept and sent back.
// - A reply with another client cookie is a forgery. An upstream that never returned a cookie need
//   not return one.
// - An upstream that did must go on. A reply without one is not used: the query is repeated over
//   TCP. Some servers of an anycast address may know no cookies, or an upstream may stop. So after
//   about three such replies, cookies are not required for ten minutes. Replies with cookies make
//   up for replies without them at a rate of eight to one.
// - An upstream that answers FORMERR to a cookie, and never returned one, gets none for ten
//   minutes.
//
// State of one worker, indexed by Upstream::id. No allocation after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/dns/cookie.h"
#include "dataplane/forward/chacha_random.h"
#include "matchers/prefix/ip_address.h"

namespace steer::forward {

class UpstreamCookies {
  public:
    static constexpr std::uint64_t kRestMs = 600'000;
    static constexpr std::size_t kLongestOption =
        dns::kOptionHeadSize + dns::kClientCookieSize + dns::kLongestServerCookie;

    // `random` must outlive this object.
    explicit UpstreamCookies(ChaChaRandom& random);

    // Writes the COOKIE option of a query from our address `source` into `room` (kLongestOption
    // bytes). Returns its length; 0: this upstream gets no cookie now.
    std::size_t write(std::uint16_t id, const IpAddress& source, std::uint64_t now_ms,
                      std::span<std::uint8_t> room) noexcept;

    enum class Reply : std::uint8_t {
        accepted,
        forged,   // another client cookie, or a malformed option
        missing,  // no cookie from an upstream that must return one
        lapsed,   // the same; and from now on it need not, for a time
    };
    // The reply to a query with a cookie; `options`: of its OPT, empty without one. A new server
    // cookie is kept.
    Reply read(std::uint16_t id, std::span<const std::uint8_t> options,
               std::uint64_t now_ms) noexcept;
    // The upstream answered FORMERR to a query with a cookie. Returns true if the query should be
    // repeated with EDNS and without a cookie.
    bool refused(std::uint16_t id, std::uint64_t now_ms) noexcept;

  private:
    static constexpr std::uint8_t kLapse = 8, kMostLapses = 3 * kLapse;

    struct State {
        IpAddress source;
        bool has_client = false;
        bool returns = false;  // it returned a server cookie to this client cookie
        std::uint8_t lapses = 0;
        std::uint8_t server_length = 0;
        std::array<std::uint8_t, dns::kClientCookieSize> client{};
        std::array<std::uint8_t, dns::kLongestServerCookie> server{};
        std::uint64_t not_required_until_ms = 0;
        std::uint64_t not_sent_until_ms = 0;
    };
    void renew(State& state, const IpAddress& source) noexcept;

    ChaChaRandom& random_;
    std::vector<State> states_;
};

}  // namespace steer::forward

// Limits the TLS handshakes that clients may begin: the main thread signs each, about 1 ms with an
// RSA key.
//
// Each address may begin kHandshakesPerAddress per second, all together kHandshakesPerSecond; the
// unused share of a second is kept for one second. An address that was authorized within kKnownTime
// has its own kHandshakesPerSecond and does not count among all. So other addresses cannot lock an
// operator out. IPv6 addresses count as their /64. Memory: kMaxWatchedAddresses entries.
//
// Used by the main thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>

#include "matchers/prefix/ip_address.h"

namespace steer::ops {

inline constexpr double kHandshakesPerAddress = 20;
inline constexpr double kHandshakesPerSecond = 100;
inline constexpr std::chrono::hours kKnownTime{1};
// Maximum at a time; a further one ends the oldest one.
inline constexpr std::size_t kOpenHandshakes = 64, kOpenHandshakesPerAddress = 16;
inline constexpr std::chrono::seconds kHandshakeTime{5};

class HandshakeLimits {
  public:
    using Clock = std::chrono::steady_clock;

    // Takes a handshake from the shares of the client. Returns false if one of them is used up.
    bool take(const IpAddress& client, Clock::time_point now);
    // Notes that the client was authorized.
    void note_known(const IpAddress& client, Clock::time_point now);
    [[nodiscard]] bool is_known(const IpAddress& client, Clock::time_point now) const;

  private:
    struct Share {
        double left;
        Clock::time_point since;
        void fill(double a_second, Clock::time_point now);
    };
    static void forget_oldest(std::map<IpAddress, Share>& shares);

    std::map<IpAddress, Share> shares_;
    std::map<IpAddress, Share> known_;  // `since`: last authorization
    Share all_{kHandshakesPerSecond, {}};
};

}  // namespace steer::ops

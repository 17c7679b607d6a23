// Limits the tries of the page's password.
//
// Each address has kTriesPerSite at once, then one per kTryPauseMs; all unknown addresses together
// have kTriesOfAll at once, then one per kTryOfAllMs. Loopback and addresses that signed in before
// do not count among all, so that strangers cannot lock them out. A right password gives the tries
// of its address back. IPv6 addresses count as their /64, and all of loopback as one address.
// Memory: kMaxTrySites entries.
//
// The caller gives the time. Used by the main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "matchers/prefix/ip_address.h"

namespace steer::ops {

inline constexpr double kTriesPerSite = 5, kTriesOfAll = 20;
inline constexpr std::uint64_t kTryPauseMs = 30'000, kTryOfAllMs = 1'000;
inline constexpr std::uint64_t kLoopbackPauseMs = 1'000;
inline constexpr std::size_t kMaxTrySites = 4'096;

class LoginLimits {
  public:
    // Takes a try of this address. False: there is none now.
    bool take(const IpAddress& client, std::uint64_t now_ms);
    // The try was right.
    void give_back(const IpAddress& client, std::uint64_t now_ms);
    // Seconds until the address has a try, at least 1.
    [[nodiscard]] std::uint64_t wait_s(const IpAddress& client, std::uint64_t now_ms) const;

  private:
    struct Share {
        double left = 0;
        std::uint64_t since_ms = 0;
        bool is_known = false;  // it signed in before
        // What is left at that time.
        [[nodiscard]] double at(double most, std::uint64_t pause_ms, std::uint64_t now_ms) const;
    };
    void make_room(std::uint64_t now_ms);

    std::map<IpAddress, Share> sites_;
    Share all_{.left = kTriesOfAll};
};

}  // namespace steer::ops

// The kinds of frames that go to the kernel. Each kind has its own rate, so a flood of one kind
// does not affect the others.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "matchers/counter_table.h"

namespace steer {

//    name, content, frames per second
#define STEER_EXCEPTION_KINDS(X)                                         \
    X(arp, "ARP", 1'000)                                                 \
    X(nd, "neighbour and router discovery (ICMPv6 133 to 137)", 1'000)   \
    X(icmp, "ICMP", 1'000)                                               \
    X(icmp6, "ICMPv6 but neighbour discovery", 1'000)                    \
    X(tcp, "TCP", 100'000)                                               \
    X(quic, "UDP from or to port 443 or 853", 100'000)                   \
    X(udp, "UDP that is not DNS for us, or DNS with IP options", 10'000) \
    X(fragment, "fragments of any protocol", 1'000)                      \
    X(other, "other protocols of IP, other ethertypes, truncated frames", 1'000)

STEER_COUNTER_ENUM(ExceptionKind, kExceptionKinds, STEER_EXCEPTION_KINDS);

// Frames per second of each kind and queue; 0: none.
using ExceptionRates = std::array<std::uint32_t, kExceptionKinds.size()>;
inline constexpr ExceptionRates kExceptionRates{
#define STEER_EXCEPTION_RATE(name, text, rate) rate,
    STEER_EXCEPTION_KINDS(STEER_EXCEPTION_RATE)
#undef STEER_EXCEPTION_RATE
};

// Skips up to two VLAN tags and IPv6's extension headers; accepts any bytes.
[[nodiscard]] ExceptionKind exception_kind(std::span<const std::uint8_t> frame) noexcept;

// A token bucket. Allows the frames of a tenth of a second at once, and at least a burst.
class ExceptionBucket {
  public:
    // Returns false if the rate is exceeded. `now_ms` must not decrease.
    [[nodiscard]] bool take(std::uint32_t per_s, std::uint64_t now_ms) noexcept {
        if (per_s == 0) return false;
        const std::uint64_t most = std::uint64_t{per_s < 320 ? 32U : per_s / 10} * kOne;
        const std::uint64_t passed_ms = now_ms - filled_ms_;
        filled_ms_ = now_ms;
        // `per_s` frames in 1000 ms are `per_s` thousandths of a frame per millisecond.
        left_ = passed_ms > kOne ? most : left_ + passed_ms * per_s;
        if (left_ > most) left_ = most;
        if (left_ < kOne) return false;
        left_ -= kOne;
        return true;
    }

  private:
    static constexpr std::uint64_t kOne = 1000;   // a frame, in thousandths
    std::uint64_t left_ = ~std::uint64_t{0} / 2;  // full
    std::uint64_t filled_ms_ = 0;
};

}  // namespace steer

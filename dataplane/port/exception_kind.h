// The kinds of frames that go to the kernel. Each has a rate of its own, so that a flood of one kind does not
// affect the others.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace steer {

//    name      label       per second  content
#define STEER_EXCEPTION_KINDS(X)                                                \
    X(arp, "arp", 1'000, "ARP")                                                 \
    X(nd, "nd", 1'000, "neighbour and router discovery (ICMPv6 133 to 137)")    \
    X(icmp, "icmp", 1'000, "ICMP")                                              \
    X(icmp6, "icmp6", 1'000, "ICMPv6 but neighbour discovery")                  \
    X(tcp, "tcp", 100'000, "TCP")                                               \
    X(udp, "udp", 10'000, "UDP that is not DNS for us, or DNS with IP options") \
    X(fragment, "fragment", 1'000, "fragments of any protocol")                 \
    X(other, "other", 1'000, "other protocols of IP, other ethertypes, truncated frames")

enum class ExceptionKind : std::uint8_t {
#define STEER_EXCEPTION_ENUM(name, label, rate, text) name,
    STEER_EXCEPTION_KINDS(STEER_EXCEPTION_ENUM)
#undef STEER_EXCEPTION_ENUM
        count_
};
inline constexpr std::size_t kExceptionKinds = static_cast<std::size_t>(ExceptionKind::count_);

inline constexpr std::array<std::string_view, kExceptionKinds> kExceptionLabels{
#define STEER_EXCEPTION_LABEL(name, label, rate, text) label,
    STEER_EXCEPTION_KINDS(STEER_EXCEPTION_LABEL)
#undef STEER_EXCEPTION_LABEL
};

// Frames per second of each kind and queue; 0: none.
using ExceptionRates = std::array<std::uint32_t, kExceptionKinds>;
inline constexpr ExceptionRates kExceptionRates{
#define STEER_EXCEPTION_RATE(name, label, rate, text) rate,
    STEER_EXCEPTION_KINDS(STEER_EXCEPTION_RATE)
#undef STEER_EXCEPTION_RATE
};

// Skips up to two VLAN tags and IPv6's extension headers; accepts any bytes.
[[nodiscard]] ExceptionKind exception_kind(std::span<const std::uint8_t> frame) noexcept;

// Allows a tenth of a second's frames at once, and at least a burst.
class ExceptionBucket {
  public:
    // False: over the rate. `now_ms` never goes back.
    [[nodiscard]] bool take(std::uint32_t per_s, std::uint64_t now_ms) noexcept {
        if (per_s == 0) return false;
        const std::uint64_t most = std::uint64_t{per_s < 320 ? 32U : per_s / 10} * kOne;
        const std::uint64_t passed_ms = now_ms - filled_ms_;
        filled_ms_ = now_ms;
        // `per_s` frames in 1000 ms are `per_s` thousandths of a frame in each.
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

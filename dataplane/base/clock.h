// A worker's time, read once per turn of the loop, never per packet.
#pragma once

#include <cstdint>

namespace steer {

struct Now {
    std::uint64_t ms;      // CLOCK_BOOTTIME: counts during suspend, never jumps
    std::uint32_t us = 0;  // microseconds within this millisecond; only for durations
    [[nodiscard]] std::uint32_t s() const { return static_cast<std::uint32_t>(ms / 1000); }
    // Microseconds since the boot.
    [[nodiscard]] std::uint64_t micros() const { return ms * 1000 + us; }
};

// The source of Now. Tests set their own.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Now now() = 0;
};

class BootClock final : public Clock {
  public:
    Now now() override;
};

}  // namespace steer

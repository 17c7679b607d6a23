// A worker's time, read once per turn of the loop, never per packet.
#pragma once

#include <cstdint>

namespace steer {

struct Now {
    std::uint64_t ms;  // CLOCK_BOOTTIME: counts during suspend, never jumps
    [[nodiscard]] std::uint32_t s() const { return static_cast<std::uint32_t>(ms / 1000); }
};

// Source of Now. Tests set theirs by hand.
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

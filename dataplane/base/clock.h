// Time as a worker knows it: read once per loop, never per packet.
#pragma once

#include <cstdint>

namespace steer {

struct Now {
    std::uint64_t ms;  // CLOCK_BOOTTIME: goes on in suspend, never jumps
    [[nodiscard]] std::uint32_t s() const { return static_cast<std::uint32_t>(ms / 1000); }
};

// Where Now comes from. Tests have one that they turn by hand.
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

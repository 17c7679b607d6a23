// When to fetch a list again. Pure: inputs are seconds of a monotonic clock, and a random number.
#pragma once

#include <cstdint>

namespace steer::fetch {

class Schedule {
  public:
    // The first fetch is due immediately. `every_s`: time between two successful fetches.
    explicit Schedule(std::uint32_t every_s, std::uint64_t now_s)
        : every_s_(every_s), due_s_(now_s) {}

    [[nodiscard]] bool is_due(std::uint64_t now_s) const { return now_s >= due_s_; }
    [[nodiscard]] std::uint64_t due_s() const { return due_s_; }
    // 0: the last fetch succeeded.
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

    // The last fetch succeeded. `chance`: 0..1, so that machines with the same start time fetch at
    // different times.
    void went_well(std::uint64_t now_s, double chance);
    // The last fetch failed. `has_copy`: there is a usable copy, so retries may be slower.
    void failed(std::uint64_t now_s, bool has_copy, double chance);
    void now(std::uint64_t now_s) { due_s_ = now_s; }
    // For a configuration with another `every`.
    void set_every(std::uint32_t every_s, std::uint64_t now_s);

  private:
    std::uint32_t every_s_;
    std::uint64_t due_s_;
    std::uint32_t failures_ = 0;
};

}  // namespace steer::fetch

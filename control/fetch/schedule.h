// When a list is to be fetched again. Pure: time comes in as seconds of a clock that does not jump, chance as a number.
#pragma once

#include <cstdint>

namespace steer::fetch {

class Schedule {
  public:
    // At once, for the first time. `every_s`: between two that went well.
    explicit Schedule(std::uint32_t every_s, std::uint64_t now_s)
        : every_s_(every_s), due_s_(now_s) {}

    [[nodiscard]] bool is_due(std::uint64_t now_s) const { return now_s >= due_s_; }
    [[nodiscard]] std::uint64_t due_s() const { return due_s_; }
    // 0: the last one went well.
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

    // The last one ended. `chance`: 0..1, so that machines that were started together do not ask together.
    void went_well(std::uint64_t now_s, double chance);
    // `has_copy`: there is something to go on with, so that there is no hurry.
    void failed(std::uint64_t now_s, bool has_copy, double chance);
    void now(std::uint64_t now_s) { due_s_ = now_s; }
    // Of a configuration with another `every`.
    void set_every(std::uint32_t every_s, std::uint64_t now_s);

  private:
    std::uint32_t every_s_;
    std::uint64_t due_s_;
    std::uint32_t failures_ = 0;
};

}  // namespace steer::fetch

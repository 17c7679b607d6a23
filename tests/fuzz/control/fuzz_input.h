// Bytes of a fuzz input, taken one after the other; zeros behind their end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace steer::fuzz {

class Input {
  public:
    explicit Input(std::span<const std::uint8_t> bytes) : left_(bytes) {}
    [[nodiscard]] bool empty() const { return left_.empty(); }
    unsigned byte() {
        if (left_.empty()) return 0;
        const unsigned value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    std::span<const std::uint8_t> bytes(std::size_t most) {
        const auto part = left_.first(std::min(most, left_.size()));
        left_ = left_.subspan(part.size());
        return part;
    }

  private:
    std::span<const std::uint8_t> left_;
};

}  // namespace steer::fuzz

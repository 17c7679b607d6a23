// A block of bytes for an image or for frames of packets: zeroed and aligned to a cache line. It uses
// huge pages if the system has them, because lookups in a large image read random pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace steer::matchers {

class Arena {
  public:
    Arena() = default;
    explicit Arena(std::size_t bytes);  // throws std::bad_alloc
    ~Arena();
    Arena(Arena&& o) noexcept
        : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
    Arena& operator=(Arena&& o) noexcept {
        std::swap(data_, o.data_);
        std::swap(size_, o.size_);
        return *this;
    }

    [[nodiscard]] std::uint8_t* data() { return data_; }
    [[nodiscard]] const std::uint8_t* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

  private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace steer::matchers

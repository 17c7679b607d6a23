// A file descriptor that its owner closes.
#pragma once

#include <unistd.h>

#include <utility>

namespace steer {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.take()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    // Passes ownership to the caller.
    int take() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

}  // namespace steer

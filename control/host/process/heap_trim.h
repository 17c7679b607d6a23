// Decides when to return memory to the system. After many connections closed, their memory stays
// free in the C library's arenas (5,000 TLS handshakes: 200 MiB).
#pragma once

#include <cstddef>
#include <cstdint>

namespace steer {

class HeapTrim {
  public:
    static constexpr std::size_t kCrowd = std::size_t{16} << 20;  // a peak that justifies a trim
    static constexpr std::uint64_t kEveryMs = 10'000;

    // `bytes`: of connections of clients, including handshakes. Returns true if three quarters of a
    // crowd's are free, and the last malloc_trim() was more than kEveryMs ago. It returns true once
    // more after that time, because a connection's memory is freed after it was counted as closed.
    bool is_due(std::size_t bytes, std::uint64_t now_ms);

  private:
    std::size_t most_ = 0;  // since the last trim
    bool is_repeated_ = false;
    std::uint64_t quiet_until_ms_ = 0;
};

}  // namespace steer

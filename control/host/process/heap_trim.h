// Decides when to return memory to the system: after many connections closed, their memory stays free in the C library's
// arenas (5,000 TLS handshakes: 200 MiB).
#pragma once

#include <cstdint>

namespace steer {

class HeapTrim {
  public:
    static constexpr unsigned kCrowd = 512;  // connections at once that justify a trim
    static constexpr std::uint64_t kEveryMs = 10'000;

    // `connections`: open ones now, including handshakes. True: three quarters of a crowd have closed, and malloc_trim()
    // was not due in the last kEveryMs. It is due once more after that time: what a connection had is freed after it was
    // counted as closed.
    bool is_due(unsigned connections, std::uint64_t now_ms);

  private:
    unsigned most_ = 0;  // since the last time
    bool is_repeated_ = false;
    std::uint64_t quiet_until_ms_ = 0;
};

}  // namespace steer

// When to give memory back to the system: a crowd of connections that has gone leaves its memory in the C library's
// arenas, free and ours (5,000 TLS handshakes: 200 MiB).
#pragma once

#include <cstdint>

namespace steer {

class HeapTrim {
  public:
    static constexpr unsigned kCrowd = 512;  // connections at once that are worth a trim
    static constexpr std::uint64_t kEveryMs = 10'000;

    // `connections`: open ones now, also in their handshake. True: three quarters of a crowd have gone, and malloc_trim()
    // was not asked for in the last kEveryMs.
    bool is_due(unsigned connections, std::uint64_t now_ms);

  private:
    unsigned most_ = 0;  // since the last time
    std::uint64_t quiet_until_ms_ = 0;
};

}  // namespace steer

// How fast an upstream replies: its fastest reply in the last 10 to 20 s.
//
// Names that no server answers, and names of slow servers, delay or prevent other replies; a client
// can query such names. They do not make the fastest reply slower. Pure. Used by the main thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "dataplane/forward/upstream_health.h"

namespace steer {

class UpstreamSpeed {
  public:
    // Number of replies so far, of all workers, by the buckets of kUpstreamBoundsMs.
    using Replies = std::array<std::uint64_t, kUpstreamBoundsMs.size() + 1>;
    static constexpr std::uint64_t kWindowMs = 10'000;

    // Call it about every tenth of a second.
    void see(std::uint16_t upstream, const Replies& replies, std::uint64_t now_ms);
    // Whether there were replies, and the fastest took longer than `ms`, one of kUpstreamBoundsMs.
    [[nodiscard]] bool is_slower_than(std::uint16_t upstream, std::uint32_t ms) const;

  private:
    struct Known {
        Replies begin{};  // at the beginning of the window
        std::uint64_t begin_ms = 0;
        std::optional<std::size_t> fastest, fastest_before;  // buckets; of this window, of the last
    };
    std::map<std::uint16_t, Known> by_id_;
};

}  // namespace steer

// The source ports of one worker's upstream queries: each port of the range with port % workers ==
// worker. So every worker knows the owner of a reply from its destination port.
#pragma once

#include <cstdint>

#include "dataplane/forward/chacha_random.h"

namespace steer::forward {

class SourcePorts {
  public:
    // Aborts with a message if the range has no port for this worker.
    SourcePorts(std::uint16_t first, std::uint16_t last, unsigned worker, unsigned workers);

    [[nodiscard]] std::uint16_t pick(ChaChaRandom& random) const noexcept {
        return static_cast<std::uint16_t>(first_ + random.below(count_) * workers_);
    }
    [[nodiscard]] unsigned owner(std::uint16_t port) const noexcept { return port % workers_; }
    [[nodiscard]] unsigned count() const noexcept { return count_; }

  private:
    unsigned workers_;
    unsigned first_;
    unsigned count_;
};

}  // namespace steer::forward

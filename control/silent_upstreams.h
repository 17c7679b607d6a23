// Says when an upstream that workers ask themselves stops answering, and when it answers again: once each, and not more
// than once a minute for one that comes and goes. (Those that `streams` asks say so by themselves: upstream_state.h.)
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dataplane/policy/snapshot.h"

namespace steer {

class SilentUpstreams {
  public:
    struct Heard {
        std::uint64_t replies = 0;     // so far, to all workers
        std::uint64_t unanswered = 0;  // queries since the last of them
    };

    // The sentence about it, if there is news.
    std::string look(const Upstream& upstream, Heard heard, std::uint64_t now_ms);

  private:
    struct Known {
        std::uint64_t replies = 0;
        std::uint64_t complain_from_ms = 0;
        bool is_silent = false;
    };
    std::map<std::uint16_t, Known> by_id_;
};

}  // namespace steer

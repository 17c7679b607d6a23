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

    // The sentence about it, if there is news. `failing_domain`: most of what timed out of late was for names under
    // it, so that it need not be the upstream that is silent; empty: there is no such domain.
    std::string look(const Upstream& upstream, Heard heard, std::uint64_t now_ms,
                     const std::string& failing_domain = {});
    // Whether it leaves queries unanswered that were asked of late. Without queries nobody knows: one that was silent
    // counts as usable again after kForgetMs, or an appliance that gets no clients for it would never be asked.
    static constexpr std::uint64_t kForgetMs = 30'000;
    [[nodiscard]] bool is_silent(std::uint16_t id, std::uint64_t now_ms) const;

  private:
    struct Known {
        std::uint64_t replies = 0;
        std::uint64_t complain_from_ms = 0;
        std::uint64_t unanswered = 0, asked_ms = 0;
        bool is_silent = false;
    };
    std::map<std::uint16_t, Known> by_id_;
};

}  // namespace steer

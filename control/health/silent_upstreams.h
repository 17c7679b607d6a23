// Logs when an upstream that workers ask stops answering, and when it answers again: once each, and at most
// once a minute for one that comes and goes. (Upstreams of `streams` log this themselves: upstream_state.h.)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "dataplane/policy/snapshot.h"

namespace steer {

class SilentUpstreams {
  public:
    struct Heard {
        std::uint64_t replies = 0;     // so far, to all workers
        std::uint64_t unanswered = 0;  // queries since the last reply
    };

    static constexpr std::string_view kAnswersAgain = " answers again";  // ends such a sentence
    // The sentence about a change, if any. `failing_domain`: most recent timeouts were for names under
    // it, so the upstream may not be the cause; empty: no such domain.
    std::string look(const Upstream& upstream, Heard heard, std::uint64_t now_ms,
                     const std::string& failing_domain = {});
    // Without queries its state is unknown, so a silent upstream counts as usable again after this time;
    // otherwise an appliance without clients would stay not ready.
    static constexpr std::uint64_t kForgetMs = 30'000;
    static constexpr std::uint64_t kEver = UINT64_MAX;
    // Whether it left the last queries unanswered; the last one is at most `within_ms` old.
    [[nodiscard]] bool is_silent(std::uint16_t id, std::uint64_t now_ms,
                                 std::uint64_t within_ms) const;

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

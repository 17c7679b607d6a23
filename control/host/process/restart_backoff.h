// The pause before an ended process is started again: 1 s, then 2, up to 30. It starts over after a
// run that lasted that long.
#pragma once

#include <algorithm>
#include <chrono>

namespace steer {

class RestartBackoff {
  public:
    using ms = std::chrono::milliseconds;
    explicit RestartBackoff(ms first = ms(1'000), ms most = ms(30'000))
        : first_(first), most_(most), next_(first) {}

    // The pause after a run of this length; 0: the process could not be started.
    ms next(ms lived) {
        if (lived >= most_) next_ = first_;
        const ms now = next_;
        next_ = std::min(next_ * 2, most_);
        return now;
    }

  private:
    ms first_, most_, next_;
};

}  // namespace steer

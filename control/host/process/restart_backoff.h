// The pause before an ended process is started again: 1 s, then 2, up to 30. It starts over after a
// run that lasted that long. With `at_once`, the first start of each series has no pause.
#pragma once

#include <algorithm>
#include <chrono>

namespace steer {

class RestartBackoff {
  public:
    using ms = std::chrono::milliseconds;
    explicit RestartBackoff(ms first = ms(1'000), ms most = ms(30'000), bool at_once = false)
        : first_(first), most_(most), begin_(at_once ? ms(0) : first), next_(begin_) {}

    // The pause after a run of this length; 0: the process could not be started.
    ms next(ms lived) {
        if (lived >= most_) next_ = begin_;
        const ms now = next_;
        next_ = std::clamp(next_ * 2, std::min(first_, most_), most_);
        return now;
    }

  private:
    ms first_, most_, begin_, next_;
};

}  // namespace steer

#include "dataplane/idle.h"

#include <unistd.h>

#include <algorithm>

namespace steer {

Sleep::Sleep(std::span<Port* const> ports, Sleeper& sleeper) : sleeper_(sleeper) {
    descriptors_.reserve(ports.size() + 1);
    if (sleeper.event_fd() >= 0) descriptors_.push_back({sleeper.event_fd(), POLLIN, 0});
    for (const Port* p : ports) {
        if (p->wake_fd() >= 0) {
            descriptors_.push_back({p->wake_fd(), POLLIN, 0});
        } else {
            naps_ = true;
        }
    }
}

void Sleep::until(std::uint64_t deadline_ms, Now now) noexcept {
    timespec longest{};
    if (naps_) {
        longest.tv_nsec = kNapNs;
    } else {
        const std::uint64_t left = deadline_ms > now.ms ? deadline_ms - now.ms : 0;
        const std::uint64_t ms = std::min(left, kLongestMs);
        longest.tv_sec = static_cast<time_t>(ms / 1000);
        longest.tv_nsec = static_cast<long>(ms % 1000) * 1'000'000;
    }
    ::ppoll(descriptors_.data(), descriptors_.size(), &longest, nullptr);
    sleeper_.awake();
    if (!descriptors_.empty() && (descriptors_[0].revents & POLLIN) != 0) {
        std::uint64_t wakes;
        [[maybe_unused]] const auto n = ::read(sleeper_.event_fd(), &wakes, sizeof wakes);
    }
}

}  // namespace steer

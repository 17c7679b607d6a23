#include "dataplane/stages/idle.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>

namespace steer {
namespace {

std::vector<Port*> with_descriptor(std::span<Port* const> ports) {
    std::vector<Port*> some;
    std::copy_if(ports.begin(), ports.end(), std::back_inserter(some),
                 [](const Port* p) { return p->wake_fd() >= 0; });
    return some;
}

}  // namespace

Sleep::Sleep(std::span<Port* const> ports, Sleeper& sleeper)
    : ports_(with_descriptor(ports)),
      sleeper_(sleeper),
      descriptors_(2 * ports_.size() + 1),
      naps_(ports_.size() < ports.size()) {}

// A thread's timers may otherwise be 50 us late.
void Sleep::be_punctual() noexcept {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

void Sleep::nap() noexcept {
    constexpr timespec kLong{0, kLoadNapNs};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &kLong, nullptr);
}

bool Sleep::gather_descriptors() noexcept {
    bool away = false;
    descriptors_[0] = {sleeper_.event_fd(), POLLIN, 0};  // -1 is passed over
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        const int fd = ports_[i]->wake_fd();
        descriptors_[2 * i + 1] = {fd, POLLIN, 0};
        descriptors_[2 * i + 2] = {ports_[i]->kernel_wake_fd(), POLLIN, 0};
        away = away || fd < 0;
    }
    return away;
}

void Sleep::arm() noexcept {
    for (Port* const port : ports_)
        port->arm();
    // What arrived before the device saw the request for interrupts is found by the last check.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Sleep::disarm() noexcept {
    for (Port* const port : ports_)
        port->disarm();
}

// The descriptors that ended the last sleep. The worker has been through all its work since then.
void Sleep::count_wakeups_without_work() noexcept {
    for (std::size_t i = 1; i < descriptors_.size(); ++i) {
        if (descriptors_[i].revents != 0) ports_[(i - 1) / 2]->woken_without_work();
    }
}

void Sleep::until(std::uint64_t deadline_ms, Now now, unsigned in_a_row) noexcept {
    if (in_a_row > 1) count_wakeups_without_work();
    const bool away = gather_descriptors();
    timespec longest{};
    const bool sends =
        std::any_of(ports_.begin(), ports_.end(), [](const Port* p) { return p->has_to_send(); });
    if (naps() || sends) {
        longest.tv_nsec = in_a_row <= kShortNaps ? kNapNs : kLongNapNs;
    } else {
        const std::uint64_t left = deadline_ms > now.ms ? deadline_ms - now.ms : 0;
        const std::uint64_t ms = std::min(left, away ? kAwayMs : kLongestMs);
        longest.tv_sec = static_cast<time_t>(ms / 1000);
        longest.tv_nsec = static_cast<long>(ms % 1000) * 1'000'000;
    }
    ::ppoll(descriptors_.data(), descriptors_.size(), &longest, nullptr);
    sleeper_.awake();
    disarm();
    for (std::size_t i = 1; i < descriptors_.size(); ++i) {
        if ((descriptors_[i].revents & POLLIN) != 0) ports_[(i - 1) / 2]->woken(descriptors_[i].fd);
    }
    if ((descriptors_[0].revents & POLLIN) != 0) {
        std::uint64_t wakes;
        [[maybe_unused]] const auto n = ::read(sleeper_.event_fd(), &wakes, sizeof wakes);
    }
}

}  // namespace steer

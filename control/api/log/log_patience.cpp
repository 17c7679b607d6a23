#include "control/api/log/log_patience.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace steer::ops {
namespace {

constexpr auto kWithoutLimit = std::numeric_limits<LogPatience::Clock::rep>::max();

}  // namespace

LogPatience::LogPatience() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), end_(kWithoutLimit) {}

void LogPatience::limit(Clock::time_point end) {
    end_.store(end.time_since_epoch().count());
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
}

void LogPatience::lift() {
    end_.store(kWithoutLimit);
}

bool LogPatience::is_over() const {
    return Clock::now() >= Clock::time_point(Clock::duration(end_.load()));
}

bool LogPatience::wait_for_room(int descriptor) {
    pollfd room{descriptor, POLLOUT, 0};
    if (::poll(&room, 1, 0) > 0) return true;  // errors, too: write() reports them
    return wait(descriptor, Clock::time_point::max());
}

bool LogPatience::pause(std::chrono::milliseconds time) {
    return wait(-1, Clock::now() + time);
}

bool LogPatience::wait(int descriptor, Clock::time_point until) {
    for (;;) {
        const auto now = Clock::now();
        const Clock::time_point end{Clock::duration(end_.load())};
        if (now >= end) return false;
        if (now >= until) return true;
        constexpr std::chrono::milliseconds kMost{60'000}, kMillisecond{1};
        const auto left =
            std::min<Clock::duration>({end - now, until - now, Clock::duration(kMost)});
        std::array<pollfd, 2> all{pollfd{wake_.get(), POLLIN, 0}, pollfd{descriptor, POLLOUT, 0}};
        (void)::poll(
            all.data(), all.size(),
            static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left) / kMillisecond));
        if (all[1].revents != 0) return true;
        std::uint64_t wakes = 0;
        if (all[0].revents != 0) (void)!::read(wake_.get(), &wakes, sizeof wakes);
    }
}

}  // namespace steer::ops

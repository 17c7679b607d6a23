#include "control/runtime/ports/exception_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "control/host/process/call_filters.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kAtOnce =
    64;  // frames of one ring or interface, then the others have their turn
constexpr auto kCheckEvery = 100ms;
constexpr auto kWaitForWorker = 1ms;  // until its ring has room again
constexpr auto kMakeAgainEvery = 1s;

}  // namespace

ExceptionThread::ExceptionThread(const std::vector<ExceptionPath*>& paths, Log log)
    : log_(std::move(log)), sleeper_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    for (ExceptionPath* path : paths) {
        if (ExceptionLink* const link = path->link()) link->set_thread(&sleeper_);
        interfaces_.push_back({.path = path});
    }
}

ExceptionThread::~ExceptionThread() {
    stop();
    for (const Interface& interface : interfaces_) {
        if (ExceptionLink* const link = interface.path->link()) link->set_thread(nullptr);
    }
    ::close(sleeper_.event_fd());
}

void ExceptionThread::start() {
    if (interfaces_.empty()) return;
    thread_ = filtered_thread(ThreadKind::exception, [this] { run(); });
    pthread_setname_np(thread_.native_handle(), "exception");
}

void ExceptionThread::stop() {
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_relaxed);
    sleeper_.wake();
    thread_.join();
}

void ExceptionThread::run() {
    while (!stopping_.load(std::memory_order_relaxed)) {
        bool busy = give_to_kernel();
        for (Interface& interface : interfaces_)
            busy = take_from_kernel(interface) || busy;
        check_interfaces();
        if (busy) continue;
        sleeper_.going_to_sleep();
        const bool is_last_pass = give_to_kernel() || stopping_.load(std::memory_order_relaxed);
        if (!is_last_pass) wait();
        sleeper_.awake();
    }
}

void ExceptionThread::wait() {
    std::vector<pollfd> descriptors{{sleeper_.event_fd(), POLLIN, 0}};
    auto most = kCheckEvery;
    for (const Interface& interface : interfaces_) {
        if (interface.waits) {
            most = kWaitForWorker;
        } else if (!interface.gone) {
            descriptors.push_back({interface.path->device().fd(), POLLIN, 0});
        }
    }
    ::poll(descriptors.data(), descriptors.size(), static_cast<int>(most / 1ms));
    std::uint64_t wakes;
    [[maybe_unused]] const auto n = ::read(sleeper_.event_fd(), &wakes, sizeof wakes);
}

void ExceptionThread::check_interfaces() {
    const auto now = Clock::now();
    if (now < next_check_) return;
    next_check_ = now + kCheckEvery;
    for (Interface& interface : interfaces_) {
        // The descriptor itself reports a removed interface.
        if (interface.path->link() == nullptr)
            interface.gone = !interface.path->device().is_there();
        if (interface.gone) {
            make_again(interface, now);
        } else {
            interface.path->follow_link();
        }
    }
}

void ExceptionThread::make_again(Interface& interface, Clock::time_point now) {
    if (now < interface.again) return;
    interface.again = now + kMakeAgainEvery;
    const std::string start =
        "the exception interface " + interface.path->device().name() + " was removed";
    if (const auto done = interface.path->make_again(); done) {
        interface.gone = false;
        interface.error.clear();
        log_(start + " and is made again");
    } else if (done.error().text != interface.error) {
        interface.error = done.error().text;
        log_(start + ", so its port has no kernel side: " + interface.error);
    }
}

bool ExceptionThread::give_to_kernel() {
    bool some = false;
    for (const Interface& interface : interfaces_) {
        ExceptionLink* const link = interface.path->link();
        for (unsigned q = 0; link != nullptr && q < link->queues(); ++q) {
            FrameRing& ring = link->to_kernel(q);
            for (unsigned i = 0; i < kAtOnce; ++i) {
                const auto frame = ring.front();
                if (frame.empty()) break;
                some = true;
                if (::write(interface.path->device().fd(), frame.data(), frame.size()) < 0)
                    link->counters().thread().add(ExceptionSend::write_failed, 1);
                ring.pop();
            }
        }
    }
    return some;
}

bool ExceptionThread::take_from_kernel(Interface& interface) {
    if (interface.gone || interface.path->link() == nullptr) return false;
    ExceptionLink& link = *interface.path->link();
    FrameRing& ring = link.from_kernel();
    unsigned taken = 0;
    bool full = false;
    for (; taken < kAtOnce; ++taken) {
        std::uint8_t* const room = ring.begin_push();
        full = room == nullptr;
        if (full) break;
        const ssize_t n = ::read(interface.path->device().fd(), room, ring.frame_bytes());
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            interface.gone = true;
            next_check_ = {};
        }
        if (n <= 0) break;
        ring.push(static_cast<std::uint16_t>(n));
    }
    if (full && !interface.waits) link.counters().thread().add(ExceptionSend::ring_full, 1);
    interface.waits = full;
    if (taken > 0) link.wake_worker();
    return taken > 0;
}

}  // namespace steer

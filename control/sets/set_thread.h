// Thread `sets`: puts addresses that clients were told into sets of the kernel.
//
// A thread of its own, because libnftables and libipset block in netlink for as long as the kernel takes: a batch for a
// set with intervals reads all of that set, which is milliseconds to hundreds of them, and `routers` must not be late
// with an acknowledgement. `routers` hands over what workers say about lists that are sets here (claim(), by value,
// bounded); what is written is said to the row board by `routers`, its only writer. Started only if there is a set.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/sets/set_service.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/list_state.h"
#include "dataplane/event/event.h"

namespace steer::sets {

class SetThread {
  public:
    using Log = std::function<void(SetService::Level, const std::string&)>;
    // What the row board is to know.
    struct BoardRow {
        ListId list;
        IpAddress address;
        std::uint32_t until_s, epoch;
    };
    using OnInstalled = std::function<void(std::vector<BoardRow>)>;

    SetThread(Clock& clock, ListStates& lists, OnInstalled installed, Log log);
    ~SetThread();
    SetThread(const SetThread&) = delete;
    SetThread& operator=(const SetThread&) = delete;

    // These from now on; the first that has a set starts the thread.
    void configure(std::vector<SetPlan> plans);
    // Any one thread: an event of a list that is a set. wake() after the last of some.
    void claim(const Event& event);
    void wake();
    void stop();

    // Not older than half a second. Any thread.
    [[nodiscard]] std::vector<SetStatus> status() const;
    // Claims that came faster than they could be taken.
    [[nodiscard]] std::uint64_t overflows() const {
        return overflows_.load(std::memory_order_relaxed);
    }

  private:
    struct Inbox {
        std::vector<Installed> claims;
        std::vector<bool> overflowed;  // by list; empty: none did
        std::unique_ptr<std::vector<SetPlan>> plans;
        bool wakes = false;
        bool ends = false;
    };
    struct Kernel;

    void run();
    void take_up(const std::vector<SetPlan>& plans);
    void serve(SetService& service, Kernel& kernel);
    [[nodiscard]] std::uint32_t epoch(ListId list) const;
    void forget(ListId list);
    void publish(const SetService& service);

    Clock& clock_;
    ListStates& lists_;
    OnInstalled installed_;
    Log log_;
    int event_fd_;
    std::vector<SetPlan> plans_;  // of the thread
    std::atomic<std::uint64_t> overflows_{0};
    mutable std::mutex mutex_;
    Inbox inbox_;                    // under the mutex
    std::vector<SetStatus> status_;  // under the mutex
    std::thread thread_;
};

}  // namespace steer::sets

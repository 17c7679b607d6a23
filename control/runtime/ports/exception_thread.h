// Thread `exception`: moves frames between the workers' rings and the kernel interfaces of ports
// that the kernel does not see, except those with vhost-net. One thread serves all ports. Only it
// makes the system calls, one per frame.
//
// Sleeps in poll() on the interfaces and on an eventfd that workers write after a punt. Frames for
// a full worker ring stay in the interface's queue. Ten times a second it maintains the interfaces:
// their carrier follows the port's link, and an interface that another program removed is created
// again.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/runtime/ports/exception_path.h"
#include "dataplane/base/ring.h"

namespace steer {

class ExceptionThread {
  public:
    using Log = std::function<void(const std::string& sentence)>;  // called on that thread

    // `paths` must outlive it. Workers whose rings it reads must not run before start() or after
    // stop().
    ExceptionThread(const std::vector<ExceptionPath*>& paths, Log log);
    ~ExceptionThread();
    ExceptionThread(const ExceptionThread&) = delete;
    ExceptionThread& operator=(const ExceptionThread&) = delete;

    void start();  // nothing to do without paths
    void stop();   // may be repeated

  private:
    using Clock = std::chrono::steady_clock;
    struct Interface {
        ExceptionPath* path;
        bool waits = false;         // the worker's ring is full: the interface is not read now
        bool gone = false;          // another program removed it
        Clock::time_point again{};  // time of the next try to create it
        std::string error = {};     // why it cannot be created, as logged
    };

    void run();
    bool give_to_kernel();
    // Returns true if there were frames; then there may be more.
    bool take_from_kernel(Interface& interface);
    void wait();
    void check_interfaces();
    void make_again(Interface& interface, Clock::time_point now);

    std::vector<Interface> interfaces_;
    Log log_;
    Sleeper sleeper_;
    Clock::time_point next_check_{};
    std::thread thread_;
    std::atomic<bool> stopping_{false};
};

}  // namespace steer

// The OPNsense routers of the configuration as sinks of the thread `routers`.
//
// Call configure() before the thread's start, later on the thread. A router that a reload removes
// keeps its sink, which deletes its elements when their leases end.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/report.h"
#include "control/sinks/routers/router_thread.h"
#include "dataplane/base/clock.h"

namespace steer::opnsense {

class OpnsenseSink;

class RouterSinks {
  public:
    // All must outlive it; the sinks belong to `thread`.
    RouterSinks(RouterThread& thread, Clock& clock, RouterThread::Log log)
        : thread_(thread), clock_(clock), log_(std::move(log)) {}

    void configure(const std::vector<build::OpnsensePlan>& plans);
    // Of configured routers, and of those that still have elements; by name. Any thread.
    [[nodiscard]] std::vector<RouterReport> reports() const;

  private:
    RouterThread& thread_;
    Clock& clock_;
    RouterThread::Log log_;
    mutable std::mutex mutex_;
    std::map<std::string, OpnsenseSink*> sinks_;  // by name; written under the mutex
    std::map<std::string, build::OpnsensePlan> plans_;
};

}  // namespace steer::opnsense

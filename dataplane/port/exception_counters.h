// Counters of the frames that a port's device passed to the kernel and received from it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/counters.h"
#include "dataplane/port/exception_kind.h"
#include "matchers/counter_table.h"

namespace steer {

//    name, what happened to a frame for the kernel, of one kind
#define STEER_EXCEPTION_ENDS(X)                         \
    X(given, "handed to the kernel's interface")        \
    X(over_rate, "dropped: its kind is above its rate") \
    X(ring_full, "dropped: the kernel takes them more slowly than they come")

//    name, what happened to frames of the kernel; a waiting frame is counted once per wait
#define STEER_EXCEPTION_SENDS(X)                                                \
    X(sent, "left by the port")                                                 \
    X(port_full, "the port took no more, or no mbuf was left: the rest waited") \
    X(ring_full, "the worker takes them more slowly: the rest waited")          \
    X(write_failed, "frames for the kernel that its interface did not take")

STEER_COUNTER_ENUM(ExceptionEnd, kExceptionEnds, STEER_EXCEPTION_ENDS);
STEER_COUNTER_ENUM(ExceptionSend, kExceptionSends, STEER_EXCEPTION_SENDS);

class ExceptionCounters {
  public:
    explicit ExceptionCounters(unsigned queues) {
        for (unsigned q = 0; q < queues; ++q)
            queues_.push_back(std::make_unique<Queue>());
    }

    // The counts of one queue of the device; its worker writes them.
    class alignas(64) Queue {
      public:
        void add(ExceptionKind kind, ExceptionEnd end, std::uint64_t n = 1) noexcept {
            ends_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(end)].add(n);
        }
        void add(ExceptionSend what, std::uint64_t n) noexcept {
            sends_[static_cast<std::size_t>(what)].add(n);
        }

      private:
        friend class ExceptionCounters;
        std::array<std::array<Count, kExceptionEnds.size()>, kExceptionKinds.size()> ends_;
        std::array<Count, kExceptionSends.size()> sends_;
    };
    [[nodiscard]] Queue& queue(unsigned q) { return *queues_[q]; }
    // The counts of thread `exception`, if it moves the frames.
    [[nodiscard]] Queue& thread() { return thread_; }

    // The sum over all queues and the thread.
    [[nodiscard]] std::uint64_t get(ExceptionKind kind, ExceptionEnd end) const {
        std::uint64_t sum = 0;
        for (const auto& q : queues_)
            sum += q->ends_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(end)].get();
        return sum;
    }
    [[nodiscard]] std::uint64_t get(ExceptionSend what) const {
        std::uint64_t sum = thread_.sends_[static_cast<std::size_t>(what)].get();
        for (const auto& q : queues_)
            sum += q->sends_[static_cast<std::size_t>(what)].get();
        return sum;
    }

  private:
    std::vector<std::unique_ptr<Queue>> queues_;
    Queue thread_;
};

}  // namespace steer

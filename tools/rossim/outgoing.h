// The router's output in transit: delayed by half of the latency, held while the router hangs, sent
// byte by byte after such a fault. Bytes of one session never overtake each other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/rossim/router.h"

namespace rossim {

class Outgoing {
  public:
    explicit Outgoing(std::int64_t delay_us) : delay_us_(delay_us) {}

    void send(Output output, std::int64_t now_us);
    // Sends without latency, for a router that goes down.
    void send_at_once(Output output) { hand_over(std::move(output)); }
    // Keeps all output until release().
    void hold() { holding_ = true; }
    void release(std::int64_t now_us);
    // From now on sends one byte every `byte_us`; no end: to the end of the session.
    void drip(SessionId session, std::int64_t byte_us, std::optional<std::int64_t> until_us,
              std::int64_t now_us);
    void forget(SessionId session);
    void clear();

    std::optional<std::int64_t> next_event_us() const;
    void run(std::int64_t now_us);
    std::uint64_t bytes_out() const { return bytes_out_; }
    void forget_bytes_out() { bytes_out_ = 0; }
    // Returns at most one element per session.
    std::vector<Output> take();

  private:
    struct Parcel {
        std::int64_t due_us;
        Output output;
    };
    struct Drip {
        std::int64_t byte_us;
        std::optional<std::int64_t> until_us;
        std::int64_t next_us = 0;
        std::string bytes;
        std::size_t gone = 0;

        bool empty() const { return gone == bytes.size(); }
    };

    void arrive(Output output, std::int64_t now_us);
    void hand_over(Output output);
    bool run_drip(SessionId session, Drip& drip, std::int64_t now_us);  // false: it has ended

    std::int64_t delay_us_;
    bool holding_ = false;
    std::deque<Output> held_;
    std::deque<Parcel> in_flight_;
    std::map<SessionId, Drip> drips_;
    std::map<SessionId, Output> ready_;
    std::uint64_t bytes_out_ = 0;
};

}  // namespace rossim

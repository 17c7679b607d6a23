// Decides from steerdnsd's readiness whether a service address should be announced now, and gives
// the reason if not.
//
// Fails closed: withdraws the address as soon as the daemon ends, and when it has been silent for
// `patience`. The daemon may close a session and continue: after a new connection it has
// `reconnect` for its next message. Without I/O and without a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace steerctl {

class Announcement {
  public:
    using Ms = std::chrono::milliseconds;
    struct Times {
        Ms hold{1'000};      // how long the daemon must be ready before the announcement
        Ms patience{3'000};  // maximum silence: while its main loop is late, workers answer
        Ms reconnect{500};
    };
    explicit Announcement(Times times) : times_(times) {}

    void received(bool is_ready, const std::string& error, Ms now);
    void lost(const std::string& why, Ms now);  // no daemon answers
    void reconnecting(Ms now);                  // the connection ended, and a new one was accepted
    void end();                                 // withdraw permanently

    // Call it after each event, and at least every 100 ms.
    bool is_wanted(Ms now);
    // The reason if it is not wanted, or "ready".
    [[nodiscard]] const std::string& why() const { return why_; }

  private:
    Times times_;
    std::optional<Ms> ready_since_;
    Ms valid_until_{0};
    bool is_reconnecting_ = false, is_wanted_ = false, has_ended_ = false;
    std::string why_ = "steerdnsd was not heard yet";
};

}  // namespace steerctl

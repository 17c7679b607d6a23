// Whether a service address should be announced now, by what steerdnsd says about its readiness, and why not.
//
// Fails closed: the address is withdrawn at once when the daemon ended, and when it was silent for `patience`. The daemon may
// close a session and go on: after another connection it has `reconnect` for its next word.
// Without I/O and without a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace steerctl {

class Announcement {
  public:
    using Ms = std::chrono::milliseconds;
    struct Times {
        Ms hold{1'000};      // how long the daemon has to be ready before it is announced
        Ms patience{3'000};  // of silence: while its main loop is late, workers answer
        Ms reconnect{500};
    };
    explicit Announcement(Times times) : times_(times) {}

    void heard(bool is_ready, const std::string& trouble, Ms now);
    void lost(const std::string& why, Ms now);  // nothing answers
    void reconnecting(Ms now);  // the connection ended, and another one was accepted
    void end();                 // withdraw for good

    // Call it after each event, and at least every 100 ms.
    bool is_wanted(Ms now);
    // Why it is not wanted, or "ready".
    [[nodiscard]] const std::string& why() const { return why_; }

  private:
    Times times_;
    std::optional<Ms> ready_since_;
    Ms valid_until_{0};
    bool is_reconnecting_ = false, is_wanted_ = false, has_ended_ = false;
    std::string why_ = "steerdnsd was not heard yet";
};

}  // namespace steerctl

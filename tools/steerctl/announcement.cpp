#include "announcement.h"

#include <algorithm>

namespace steerctl {

void Announcement::received(bool is_ready, const std::string& error, Ms now) {
    is_reconnecting_ = false;
    if (is_ready) {
        if (!ready_since_) ready_since_ = now;
        valid_until_ = now + times_.patience;
    } else {
        ready_since_.reset();
        why_ = "not ready: " + (error.empty() ? "no reason given" : error);
    }
}

void Announcement::lost(const std::string& why, Ms /*now*/) {
    is_reconnecting_ = false;
    ready_since_.reset();
    why_ = why;
}

void Announcement::reconnecting(Ms now) {
    is_reconnecting_ = true;
    valid_until_ = std::min(valid_until_, now + times_.reconnect);
}

void Announcement::end() {
    has_ended_ = true;
    ready_since_.reset();
    why_ = "steerctl announce ends";
}

bool Announcement::is_wanted(Ms now) {
    if (ready_since_ && now >= valid_until_) {
        ready_since_.reset();
        why_ = is_reconnecting_ ? "steerdnsd closed the connection and says nothing"
                                : "steerdnsd says nothing for " +
                                      std::to_string(times_.patience.count()) + " ms";
    }
    is_wanted_ = !has_ended_ && ready_since_ && (is_wanted_ || now - *ready_since_ >= times_.hold);
    if (is_wanted_) why_ = "ready";
    return is_wanted_;
}

}  // namespace steerctl

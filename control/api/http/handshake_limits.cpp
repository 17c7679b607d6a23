#include "control/api/http/handshake_limits.h"

#include <algorithm>

#include "control/api/http/http_access.h"

namespace steer::ops {

void HandshakeLimits::Share::fill(double a_second, Clock::time_point now) {
    const double passed = std::chrono::duration<double>(now - since).count();
    left = std::min(a_second, left + a_second * std::max(passed, 0.0));
    since = now;
}

// Makes room for one more.
void HandshakeLimits::forget_oldest(std::map<IpAddress, Share>& shares) {
    if (shares.size() < kMaxWatchedAddresses) return;
    shares.erase(std::min_element(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
    }));
}

bool HandshakeLimits::take(const IpAddress& client, Clock::time_point now) {
    const IpAddress site = site_of(client);
    auto own = shares_.find(site);
    if (own == shares_.end()) {
        forget_oldest(shares_);
        own = shares_.emplace(site, Share{kHandshakesPerAddress, now}).first;
    }
    const bool counts = !is_known(client, now);
    own->second.fill(counts ? kHandshakesPerAddress : kHandshakesPerSecond, now);
    all_.fill(kHandshakesPerSecond, now);
    if (own->second.left < 1 || (counts && all_.left < 1)) return false;
    own->second.left -= 1;
    if (counts) all_.left -= 1;
    return true;
}

void HandshakeLimits::note_known(const IpAddress& client, Clock::time_point now) {
    const IpAddress site = site_of(client);
    if (!known_.contains(site)) forget_oldest(known_);
    known_[site] = {0, now};
}

bool HandshakeLimits::is_known(const IpAddress& client, Clock::time_point now) const {
    const auto at = known_.find(site_of(client));
    return at != known_.end() && now - at->second.since < kKnownTime;
}

}  // namespace steer::ops

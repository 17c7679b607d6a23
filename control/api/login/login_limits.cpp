#include "control/api/login/login_limits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "control/api/http/http_access.h"

namespace steer::ops {
namespace {

// What shares its tries. Each program of the machine has many addresses of loopback.
IpAddress sharers_of(const IpAddress& client) {
    static constexpr std::array<std::uint8_t, 4> kLoopback{127, 0, 0, 1};
    return client.is_loopback() ? IpAddress::from_v4(kLoopback.data()) : site_of(client);
}

std::uint64_t pause_of(const IpAddress& client) {
    return client.is_loopback() ? kLoopbackPauseMs : kTryPauseMs;
}

}  // namespace

double LoginLimits::Share::at(double most, std::uint64_t pause_ms, std::uint64_t now_ms) const {
    const double filled = left + static_cast<double>(now_ms - std::min(since_ms, now_ms)) /
                                     static_cast<double>(pause_ms);
    return std::min(most, filled);
}

// Unknown addresses go first, then those with the oldest try.
void LoginLimits::make_room(std::uint64_t now_ms) {
    std::erase_if(sites_, [&](const auto& one) {
        return !one.second.is_known &&
               one.second.at(kTriesPerSite, pause_of(one.first), now_ms) >= kTriesPerSite;
    });
    if (sites_.size() < kMaxTrySites) return;
    sites_.erase(std::ranges::min_element(sites_, {}, [](const auto& one) {
        return std::pair(one.second.is_known, one.second.since_ms);
    }));
}

bool LoginLimits::take(const IpAddress& client, std::uint64_t now_ms) {
    const IpAddress site = sharers_of(client);
    const auto at = sites_.find(site);
    const Share before =
        at != sites_.end() ? at->second : Share{.left = kTriesPerSite, .since_ms = now_ms};
    const double own = before.at(kTriesPerSite, pause_of(client), now_ms);
    if (own < 1) return false;
    if (!client.is_loopback() && !before.is_known) {
        const double all = all_.at(kTriesOfAll, kTryOfAllMs, now_ms);
        if (all < 1) return false;
        all_ = {.left = all - 1, .since_ms = now_ms};
    }
    if (at == sites_.end() && sites_.size() >= kMaxTrySites) make_room(now_ms);
    sites_[site] = {.left = own - 1, .since_ms = now_ms, .is_known = before.is_known};
    return true;
}

void LoginLimits::give_back(const IpAddress& client, std::uint64_t now_ms) {
    const IpAddress site = sharers_of(client);
    if (!sites_.contains(site) && sites_.size() >= kMaxTrySites) make_room(now_ms);
    sites_[site] = {.left = kTriesPerSite, .since_ms = now_ms, .is_known = true};
}

std::uint64_t LoginLimits::wait_s(const IpAddress& client, std::uint64_t now_ms) const {
    const auto missing_ms = [&](const Share& share, double most, std::uint64_t pause_ms) {
        return std::max(0.0, 1 - share.at(most, pause_ms, now_ms)) * static_cast<double>(pause_ms);
    };
    const auto at = sites_.find(sharers_of(client));
    double ms = at == sites_.end() ? 0 : missing_ms(at->second, kTriesPerSite, pause_of(client));
    const bool counts = !client.is_loopback() && (at == sites_.end() || !at->second.is_known);
    if (counts) ms = std::max(ms, missing_ms(all_, kTriesOfAll, kTryOfAllMs));
    constexpr double kMs = 1'000;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(ms / kMs)));
}

}  // namespace steer::ops

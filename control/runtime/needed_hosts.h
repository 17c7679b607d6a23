// Addresses that this machine needs and that are not in the configuration: those of upstreams,
// proxies, routers and a Redis with host names, of the Redis that Sentinels name, and of the other
// machines of a fleet. No list claims them, unless its `allow_claim` names them (ListService,
// Fleet). Addresses in the configuration are in PolicyList::never_claim.
//
// Any thread. A source always reports all of its addresses. Cost of forbids(): a lock and a walk
// over all of them (kMaxOfBoxes of a fleet, a few per upstream), only if there are any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "dataplane/policy/list_addresses.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// The addresses of a router's or a Redis' transport.
inline std::vector<IpAddress> addresses_of(std::span<const std::array<std::uint8_t, 16>> all) {
    std::vector<IpAddress> out;
    out.reserve(all.size());
    for (const auto& bytes : all)
        out.push_back(IpAddress{bytes});
    return out;
}

class NeededHosts {
  public:
    // `source`: the object that needs these addresses now. Empty: it needs none.
    void set(const void* source, std::span<const IpAddress> addresses) {
        const std::lock_guard lock(mutex_);
        if (addresses.empty())
            by_source_.erase(source);
        else
            by_source_[source].assign(addresses.begin(), addresses.end());
        is_empty_.store(by_source_.empty(), std::memory_order_relaxed);
    }
    // Whether a list must not claim the address because this machine needs it. An address with the
    // prefix of a NAT64 also counts as the IPv4 address in it. `allowed`: of the list's ClaimTerms.
    [[nodiscard]] bool forbids(const std::vector<TranslatedPrefix>& translated,
                               const std::vector<IpAddress>& allowed,
                               const IpAddress& address) const {
        if (is_empty_.load(std::memory_order_relaxed)) return false;
        const IpAddress host = host_of(translated, address);
        const auto is_allowed = [&](const IpAddress& one) {
            return std::ranges::find(allowed, one) != allowed.end();
        };
        if (is_allowed(address) || is_allowed(host)) return false;
        const std::lock_guard lock(mutex_);
        return std::ranges::any_of(by_source_, [&](const auto& source) {
            return std::ranges::any_of(source.second, [&](const IpAddress& needed) {
                return needed == address || host_of(translated, needed) == host;
            });
        });
    }

  private:
    static IpAddress host_of(const std::vector<TranslatedPrefix>& translated,
                             const IpAddress& address) {
        if (address.is_v4()) return address;
        const TranslatedPrefix* const nat64 = nat64_of(translated, address.bytes.data());
        return nat64 == nullptr ? address : ipv4_behind(*nat64, address);
    }

    mutable std::mutex mutex_;
    std::map<const void*, std::vector<IpAddress>> by_source_;
    std::atomic<bool> is_empty_{true};
};

}  // namespace steer

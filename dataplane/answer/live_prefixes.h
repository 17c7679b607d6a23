// Sets of addresses for tests. A set has prefixes of the configuration, and prefixes that change
// while a snapshot is in use (address lists of routers).
//
// One thread publishes a new set and frees the old one after a grace period
// (control/host/process/published.h). Workers load the pointer for each test and keep none across a
// quiescent state. Threads of `streams` test in a QsbrReader::Section. A test costs one more load
// for each live set.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer {

struct LivePrefixes {
    std::atomic<const matchers::PrefixSet*> set{nullptr};  // nullptr before the first publication
};

class AddressSet {
  public:
    explicit AddressSet(const std::vector<matchers::Prefix>& prefixes = {},
                        std::vector<std::shared_ptr<const LivePrefixes>> live = {})
        : fixed_(prefixes), live_(std::move(live)) {}

    [[nodiscard]] bool contains(const IpAddress& address) const noexcept {
        return fixed_.contains(address) || (!live_.empty() && is_live(address));
    }
    [[nodiscard]] bool is_live() const noexcept { return !live_.empty(); }

  private:
    [[nodiscard]] bool is_live(const IpAddress& address) const noexcept {
        return std::ranges::any_of(live_, [&](const auto& one) {
            const auto* const set = one->set.load(std::memory_order_acquire);
            return set != nullptr && set->contains(address);
        });
    }

    matchers::PrefixSet fixed_;
    std::vector<std::shared_ptr<const LivePrefixes>> live_;
};

}  // namespace steer

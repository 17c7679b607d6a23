#include "dataplane/forward/failing_names.h"

#include <algorithm>

namespace steer::forward {

unsigned FailingNames::halvings(const Known& known, std::uint32_t now_s) noexcept {
    return std::min((now_s - known.since_s) / kHalveEveryS, 31U);
}

void FailingNames::note(std::uint64_t domain, bool failed, std::uint32_t now_s) noexcept {
    auto& set = sets_[domain % kSets];
    auto* known =
        std::find_if(set.begin(), set.end(), [&](const Known& k) { return k.domain == domain; });
    if (known == set.end()) {
        known = std::min_element(set.begin(), set.end(), [](const Known& a, const Known& b) {
            return a.since_s < b.since_s;
        });
        *known = Known{.domain = domain, .since_s = now_s};
    }
    if (const unsigned n = halvings(*known, now_s); n > 0) {
        known->answered >>= n;
        known->failed >>= n;
        known->since_s = now_s;
    }
    ++(failed ? known->failed : known->answered);
}

unsigned FailingNames::failed_percent(std::uint64_t domain, std::uint32_t now_s) const noexcept {
    const auto& set = sets_[domain % kSets];
    const auto* const known =
        std::find_if(set.begin(), set.end(), [&](const Known& k) { return k.domain == domain; });
    if (known == set.end()) return 0;
    const unsigned n = halvings(*known, now_s);
    const std::uint64_t failed = known->failed >> n;
    const std::uint64_t all = failed + (known->answered >> n);
    return all < kEnough ? 0 : static_cast<unsigned>(failed * 100 / all);
}

}  // namespace steer::forward

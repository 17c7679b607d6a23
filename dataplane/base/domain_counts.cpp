#include "dataplane/base/domain_counts.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace steer {
namespace {

constexpr std::size_t kFewestCounters = 1024;  // so that few records collide rarely, too
constexpr unsigned kFewestOfPart = 4;          // so that one name has room for its branches

unsigned part_of(unsigned per_domain, unsigned divisor) {
    return std::max(per_domain / divisor, std::min(per_domain, kFewestOfPart));
}

}  // namespace

using matchers::DomainLevel;

DomainCounts::DomainCounts(unsigned total, unsigned per_domain)
    : shares_{std::max(total / 2, per_domain), per_domain, part_of(per_domain, 2),
              part_of(per_domain, 4)},
      counts_(2 * std::bit_ceil(std::max(std::size_t{total} * 2, kFewestCounters))),
      mask_(counts_.size() / 2 - 1) {
    if (per_domain >= total) shares_.fill(UINT32_MAX);
}

std::uint32_t DomainCounts::get(std::uint64_t key) const noexcept {
    return std::min(counts_[first(key)], counts_[second(key)]);
}

void DomainCounts::add(const matchers::DomainKeys& keys) noexcept {
    for (const std::uint64_t key : keys.of) {
        if (key == 0) continue;
        ++counts_[first(key)];
        ++counts_[second(key)];
    }
}

void DomainCounts::remove(const matchers::DomainKeys& keys) noexcept {
    for (const std::uint64_t key : keys.of) {
        if (key == 0) continue;
        if (counts_[first(key)]-- == 0 || counts_[second(key)]-- == 0) {
            std::fprintf(stderr, "a domain's share was released that was not taken\n");
            std::abort();
        }
    }
}

bool DomainCounts::is_full(const matchers::DomainKeys& keys) const noexcept {
    const auto is_used_up = [&](DomainLevel level) {
        return keys[level] != 0 && get(keys[level]) >= share(level);
    };
    if (is_used_up(DomainLevel::platform)) return true;
    const std::uint32_t of_domain = get(keys[DomainLevel::domain]);
    // No part of a domain has more than the domain.
    if (of_domain < share(DomainLevel::below2)) return false;
    return of_domain >= share(DomainLevel::domain) || is_used_up(DomainLevel::below) ||
           is_used_up(DomainLevel::below2);
}

}  // namespace steer

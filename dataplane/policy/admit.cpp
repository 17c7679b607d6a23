#include "dataplane/policy/admit.h"

#include <algorithm>

#include "dataplane/cache/cache.h"

namespace steer {
namespace {

constexpr std::uint32_t kBriefFailureS = 1;  // the least of RFC 9520 3.2

std::uint32_t negative_life_s(const dns::Answer& answer, const CacheInstance& settings) {
    if (!settings.cache_negative) return 0;
    if (answer.has_soa) return std::min(answer.min_ttl_s, settings.max_negative_ttl_s);
    // RFC 2308 5 would not cache it at all; a CNAME in the chain may end it sooner.
    const std::uint32_t life =
        std::min(settings.negative_ttl_without_soa_s, settings.max_negative_ttl_s);
    return answer.ttl_count == 0 ? life : std::min(life, answer.min_ttl_s);
}

}  // namespace

bool is_failure(const dns::Answer& answer) noexcept {
    return answer.rcode != dns::kNoError && answer.rcode != dns::kNxDomain &&
           answer.rcode != dns::kYxDomain;
}

std::uint32_t cacheable_for_s(const dns::Answer& answer, const CacheInstance& settings,
                              std::uint32_t age_s) noexcept {
    if ((answer.flags & dns::kTc) != 0 || answer.for_one) return 0;
    if (is_failure(answer))
        return std::min(settings.failure_ttl_s, answer.is_brief ? kBriefFailureS : UINT32_MAX);
    if (answer.rcode == dns::kYxDomain) return 0;
    if (answer.negative) return negative_life_s(answer, settings);
    if (answer.min_ttl_s < std::uint64_t{settings.min_positive_ttl_s} + age_s) return 0;
    const dns::TtlLimits limits = ttl_limits(answer, settings, age_s);
    return std::min(std::max(answer.min_ttl_s, limits.least_s), limits.most_s);
}

dns::TtlLimits ttl_limits(const dns::Answer& answer, const CacheInstance& settings,
                          std::uint32_t age_s) noexcept {
    if (is_failure(answer)) return {};
    if (answer.negative) return {0, settings.max_negative_ttl_s};
    const std::uint32_t most_s = settings.max_positive_ttl_s;
    return {settings.raised_to_s == 0 ? 0 : settings.raised_to_s + age_s,
            most_s > UINT32_MAX - age_s ? UINT32_MAX : most_s + age_s};
}

std::uint32_t stale_for_s(const dns::Answer& answer, const StaleTerms& terms) noexcept {
    if (is_failure(answer) || (answer.negative && terms.positive_only)) return 0;
    return terms.most_s;
}

std::uint32_t prefetch_window_s(const CacheInstance& settings, std::uint32_t life_s) noexcept {
    constexpr std::uint32_t kShortestLife = 10;  // a refresh of a shorter life gains nothing
    if (settings.prefetch_percent == 0 || life_s < kShortestLife) return 0;
    return std::max<std::uint32_t>(
        1, static_cast<std::uint32_t>(std::uint64_t{life_s} * settings.prefetch_percent / 100));
}

std::uint32_t refresh_check_after_s(const dns::Answer& answer, const CacheInstance& settings,
                                    std::uint32_t life_s) noexcept {
    if (is_failure(answer) || prefetch_window_s(settings, life_s) != 0) return 0;
    return stale_for_s(answer, settings.stale) != 0 ? life_s : cache::kNoRefreshCheck;
}

}  // namespace steer

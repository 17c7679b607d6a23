#include "dataplane/cache/admit.h"

#include <algorithm>

namespace steer::cache {
namespace {

std::uint32_t negative_life_s(const dns::Answer& answer, const CacheInstance& settings) {
    if (!settings.cache_negative) return 0;
    if (answer.has_soa) return std::min(answer.min_ttl_s, settings.max_negative_ttl_s);
    // RFC 2308 5 would not keep it at all; a CNAME on the way may end it sooner.
    const std::uint32_t life =
        std::min(settings.negative_ttl_without_soa_s, settings.max_negative_ttl_s);
    return answer.ttl_count == 0 ? life : std::min(life, answer.min_ttl_s);
}

}  // namespace

std::uint32_t cacheable_for_s(const dns::Answer& answer, const CacheInstance& settings) noexcept {
    if ((answer.flags & dns::kTc) != 0) return 0;
    if (answer.rcode != dns::kNoError && answer.rcode != dns::kNxDomain) return 0;
    if (answer.negative) return negative_life_s(answer, settings);
    return std::min(std::max(answer.min_ttl_s, settings.min_positive_ttl_s),
                    settings.max_positive_ttl_s);
}

}  // namespace steer::cache

// Decides whether an answer may be cached, and for how long (RFC 2308, RFC 2181 8; the settings of
// `cache`).
//
// Pure. Truncated answers and answers for one client (Answer::for_one) are not cached. Positive
// answers live for their smallest TTL, at least raised_to_s, at most max_positive_ttl_s. They are
// not cached if less than min_positive_ttl_s is left. Negative answers (NXDOMAIN, NOERROR without a
// record of the asked type) live for the smaller of the SOA's TTL and MINIMUM. Failures (SERVFAIL,
// REFUSED, FORMERR ...) live for a few seconds (RFC 9520), brief ones (Answer::is_brief) for one.
#pragma once

#include <cstdint>

#include "dataplane/dns/answer.h"
#include "dataplane/policy/cache_instance.h"

namespace steer {

// Whether this is a resolution failure (RFC 9520 2): it says neither that data exists nor that it
// does not.
bool is_failure(const dns::Answer& answer) noexcept;

// Seconds from the answer's birth; 0: not cacheable. `age_s`: its age if it is from another cache,
// so that the limits count from now.
std::uint32_t cacheable_for_s(const dns::Answer& answer, const CacheInstance& settings,
                              std::uint32_t age_s = 0) noexcept;
// The limits of the answer's TTLs at birth, so that the cached life and the reported TTLs agree.
dns::TtlLimits ttl_limits(const dns::Answer& answer, const CacheInstance& settings,
                          std::uint32_t age_s = 0) noexcept;
// Seconds after its life during which it may be served as stale (RFC 8767); 0: never.
std::uint32_t stale_for_s(const dns::Answer& answer, const StaleTerms& terms) noexcept;
// The age from which hits need more work: InsertTerms::refresh_check_after_s.
std::uint32_t refresh_check_after_s(const dns::Answer& answer, const CacheInstance& settings,
                                    std::uint32_t life_s) noexcept;
// For an answer that lives for `life_s`: the seconds before its end in which it may be refreshed;
// 0: never.
std::uint32_t prefetch_window_s(const CacheInstance& settings, std::uint32_t life_s) noexcept;

}  // namespace steer

// Whether an answer may be cached, and for how long (RFC 2308, RFC 2181 8; the settings of `cache`).
//
// Pure. What is not kept: truncated answers, and those for one client (Answer::for_one). Positive answers live for their smallest TTL, raised to
// raised_to_s, at most max_positive_ttl_s; those with less than min_positive_ttl_s left are not kept; negative ones (NXDOMAIN, and NOERROR without a record of the type that was asked for) for
// the smaller of the SOA's TTL and its MINIMUM; failures (SERVFAIL, REFUSED, FORMERR ...) for a few seconds (RFC
// 9520).
#pragma once

#include <cstdint>

#include "dataplane/dns/answer.h"
#include "dataplane/policy/cache_instance.h"

namespace steer {

// Nobody could say (RFC 9520 2): neither an answer nor its absence.
bool is_failure(const dns::Answer& answer) noexcept;

// Seconds from the answer's birth; 0: not at all. `age_s`: how old it is already (it comes from another cache), so
// that the limits count from now.
std::uint32_t cacheable_for_s(const dns::Answer& answer, const CacheInstance& settings,
                              std::uint32_t age_s = 0) noexcept;
// Between which its TTLs, those at its birth, have to be, so that what is kept and what is told are one.
dns::TtlLimits ttl_limits(const dns::Answer& answer, const CacheInstance& settings,
                          std::uint32_t age_s = 0) noexcept;
// How much longer it may be served as stale (RFC 8767); 0: not at all.
std::uint32_t stale_for_s(const dns::Answer& answer, const StaleTerms& terms) noexcept;
// From when on hits have more to do than to be answered: InsertTerms::refresh_check_after_s.
std::uint32_t refresh_check_after_s(const dns::Answer& answer, const CacheInstance& settings,
                                    std::uint32_t life_s) noexcept;
// Of an answer that lives for `life_s`: how much before its end it may be asked anew; 0: not at all.
std::uint32_t prefetch_window_s(const CacheInstance& settings, std::uint32_t life_s) noexcept;

}  // namespace steer

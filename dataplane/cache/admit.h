// Whether an answer may be cached, and for how long (RFC 2308, RFC 2181 8; the settings of `cache`).
//
// Pure. What is not kept: truncated answers, and failures (SERVFAIL, REFUSED, FORMERR ...). Positive answers
// live for their smallest TTL within the instance's limits; negative ones (NXDOMAIN, and NOERROR without a
// record of the type that was asked for) for the smaller of the SOA's TTL and its MINIMUM.
#pragma once

#include <cstdint>

#include "dataplane/dns/answer.h"
#include "dataplane/policy/snapshot.h"

namespace steer::cache {

// Seconds from the answer's birth; 0: not at all.
std::uint32_t cacheable_for_s(const dns::Answer& answer, const CacheInstance& settings) noexcept;

}  // namespace steer::cache

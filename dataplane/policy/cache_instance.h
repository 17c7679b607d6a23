// A `cache` of the configuration in a snapshot. All caches share one table (cache/cache.h).
#pragma once

#include <cstdint>
#include <string>

namespace steer {

// Answers past their TTL (RFC 8767).
struct StaleTerms {
    std::uint32_t most_s = 0;      // served for that long past their TTL; 0: never
    std::uint32_t wait_ms = 1800;  // for a fresh answer; 0: refresh in the background
    std::uint32_t recheck_s = 30;  // after a failure no upstream is asked for this time
    std::uint32_t ttl_s = 30;      // TTL of a stale answer
    bool positive_only = false;    // not NXDOMAIN and NODATA
};

struct CacheInstance {
    std::uint16_t id;  // stable over generations: part of the key
    std::string tag;
    std::uint32_t size = 1024;  // entries
    bool cache_negative = true;
    std::uint32_t max_negative_ttl_s = 300;
    std::uint32_t negative_ttl_without_soa_s = 60;
    std::uint32_t min_positive_ttl_s = 0;  // with less left, an answer with records is not cached
    std::uint32_t raised_to_s = 0;         // smallest TTL of an answer that leaves
    std::uint32_t max_positive_ttl_s = UINT32_MAX;
    std::uint32_t failure_ttl_s = 0;  // RFC 9520; 0: failures are not kept
    StaleTerms stale;
    std::uint8_t prefetch_percent = 0;  // of the TTL; 0: no prefetch
    std::uint8_t prefetch_hits = 3;
    bool ecs_in_key = false;
    bool family_in_key = false;  // its answers depend on the client's family (dns64)
};

}  // namespace steer

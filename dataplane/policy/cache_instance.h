// A `cache` of the configuration in a snapshot. All caches share one table (cache/cache.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace steer {

// The background refreshes of a cache that run now, on all workers. All generations share it.
class RunningRefreshes {
  public:
    // Returns false if `most` of them run already.
    [[nodiscard]] bool begin(std::uint32_t most) noexcept {
        if (running_.fetch_add(1, std::memory_order_relaxed) < most) return true;
        end();
        return false;
    }
    void end() noexcept { running_.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t count() const noexcept {
        return running_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint32_t> running_{0};
};

// Answers past their TTL (RFC 8767).
struct StaleTerms {
    std::uint32_t most_s = 0;      // how long past their TTL they are served; 0: never
    std::uint32_t wait_ms = 1800;  // time to wait for a fresh answer; 0: refresh in the background
    std::uint32_t recheck_s = 30;  // after a failure, upstreams get no query for this time
    std::uint32_t ttl_s = 30;      // TTL of a stale answer
    bool positive_only = false;    // not for NXDOMAIN and NODATA
};

struct CacheInstance {
    std::uint16_t id;  // the same in all generations: part of the key
    std::string tag;
    std::uint32_t size = 1024;  // entries
    bool cache_negative = true;
    std::uint32_t max_negative_ttl_s = 300;
    std::uint32_t negative_ttl_without_soa_s = 60;
    std::uint32_t min_positive_ttl_s = 0;  // an answer with records and less TTL left is not cached
    std::uint32_t raised_to_s = 0;         // smallest TTL of an answer that is sent
    std::uint32_t max_positive_ttl_s = UINT32_MAX;
    std::uint32_t failure_ttl_s = 0;  // RFC 9520; 0: failures are not cached
    StaleTerms stale;
    std::uint32_t most_refreshes = UINT32_MAX;      // maximum background refreshes at a time
    std::shared_ptr<RunningRefreshes> refreshes{};  // nullptr: not counted
    std::uint8_t prefetch_percent = 0;              // of the TTL; 0: no prefetch
    std::uint8_t prefetch_hits = 3;
    bool ecs_in_key = false;
    bool family_in_key = false;  // answers depend on the client's family (dns64)

    [[nodiscard]] bool may_refresh() const noexcept {
        return refreshes == nullptr || refreshes->count() < most_refreshes;
    }
};

}  // namespace steer

// The parked queries of one worker: a fixed number of records, and quotas of records.
//
// Quotas prevent that one client or domain takes all records. A client (IPv4 /32, IPv6 /64) may
// have `per_client` records. A registrable domain may have `per_suffix`, parts of it fewer
// (domain_counts.h). A client has one quota for UDP, one for UDP with a valid server cookie, and
// one for TCP, TLS and HTTPS. Any host can send UDP queries with the client's address, and must not
// use up its quotas for connections and for queries with a cookie. Loopback and
// `trusted_forwarders` have no quota. Counts of clients are exact, by a keyed 64-bit hash. Memory
// is taken at construction and touched at first use. Belongs to one worker. take() costs two hashes
// and a probe for each level of the name, give() the probes.
//
// Each record counts for its snapshot's generation in Shared::parked. Control reads these counts
// before it frees a generation.
//
// Ends: Verdict::drop_parked_full, drop_client_quota, drop_suffix_quota.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "dataplane/base/count_table.h"
#include "dataplane/base/domain_counts.h"
#include "dataplane/base/verdict.h"
#include "dataplane/cache/cache.h"
#include "dataplane/policy/parked.h"
#include "dataplane/stages/shared.h"

namespace steer {

class ParkedPool {
  public:
    struct Limits {
        unsigned records, per_client, per_suffix;
    };
    ParkedPool(Limits limits, unsigned worker, const cache::KeyHasher& hasher,
               Shared::ParkedCounts& counts);
    ~ParkedPool();

    // The client that a record counts for.
    struct Holder {
        const IpAddress& client;
        bool over_tcp;
        bool has_cookie = false;  // a valid server cookie
    };
    // A record for this client and (lower-cased) name, with `snapshot`, sequence and index set; or
    // the reason why there is none.
    struct Taken {
        Parked* record;
        Verdict why;
    };
    Taken take(const Snapshot& snapshot, const Holder& holder,
               std::span<const std::uint8_t> qname) noexcept;
    // A record for a refresh in this cache (Snapshot::caches) without a waiting client. Refreshes
    // may take an eighth of all records. The cache has its own limit
    // (CacheInstance::most_refreshes).
    Taken take_background(const Snapshot& snapshot, std::span<const std::uint8_t> qname,
                          std::uint32_t cache) noexcept;
    // A record for branch number `which` of another record's query. First branches may take a
    // quarter of all records; others leave half of all free. They have their own quotas. So
    // abandoned branches block neither clients' queries nor second branches.
    Taken take_branch(const Snapshot& snapshot, const Holder& holder,
                      std::span<const std::uint8_t> qname, unsigned which) noexcept;
    void give(Parked* p) noexcept;

    // The record of a hold token; nullptr if it was returned to the pool.
    [[nodiscard]] Parked* find(std::uint64_t token) noexcept;
    [[nodiscard]] static std::uint64_t token_of(const Parked& p) noexcept;

    // Any thread may call it.
    [[nodiscard]] unsigned in_use() const noexcept {
        return in_use_.load(std::memory_order_relaxed);
    }
    // Whether less than a sixteenth is free.
    [[nodiscard]] bool is_nearly_full() const noexcept {
        return limits_.records - in_use() < limits_.records / 16 + 1;
    }
    // Number of records ever touched: the caller may read [0, high_water()).
    [[nodiscard]] unsigned high_water() const noexcept { return high_water_; }
    [[nodiscard]] Parked& at(unsigned index) noexcept { return records_[index]; }

  private:
    Taken take_counted(const Snapshot& snapshot, const QuotaKeys& keys, bool is_branch) noexcept;
    [[nodiscard]] QuotaKeys keys_of(const Holder& holder,
                                    std::span<const std::uint8_t> qname) const noexcept;
    static QuotaKeys of_branches(const QuotaKeys& keys) noexcept;
    void count_generation(const Snapshot& snapshot, int change) noexcept;

    Limits limits_;
    std::uint8_t worker_;
    const cache::KeyHasher& hasher_;
    Shared::ParkedCounts& counts_;
    Parked* records_;
    std::vector<std::uint32_t> free_;  // indices below high_water_
    unsigned high_water_ = 0;
    std::atomic<unsigned> in_use_{0};  // the worker writes it
    unsigned background_ = 0;
    unsigned branches_ = 0;
    CountTable by_client_;
    DomainCounts by_domain_;
};

}  // namespace steer

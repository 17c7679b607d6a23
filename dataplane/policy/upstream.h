// The upstreams of a snapshot, and their groups (one for each `forward`).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer {

// An upstream that `streams` asks, by its id: by name, through a proxy, over TLS...
enum class Channel : std::uint8_t {
    none,       // asked at its address over UDP, by a port or by kernel socket
    datagrams,  // over UDP, and over TCP after truncation
    stream,
};

struct Upstream {
    std::uint16_t id;  // stable over generations: index of NextHopTable::by_upstream and of health
    IpAddress address;
    std::uint16_t port = 53;  // host order
    std::uint32_t timeout_ms = 2000;
    std::string name;                 // as configured, for people
    Channel channel = Channel::none;  // not none: `address` may be IpAddress{}
    bool trust_ad = false;            // its AD bit is relayed (RFC 6840 5.8)
};

// Which member of a group is asked first (forward/upstream_choice.h); the others follow if it fails.
enum class UpstreamPolicy : std::uint8_t { latency, sticky, round_robin, random, order };

// What happens to a negative reply (NXDOMAIN, no data) while other upstreams that were asked at the same time
// have not replied. A positive reply always ends the question, a failure never does.
enum class ResponseSelection : std::uint8_t {
    balanced,         // waits 100 ms for a positive one
    fastest,          // ends the question
    prefer_positive,  // waits for all
    consensus,        // waits for a second one of its kind, or for all
};

// Per generation: queries of an earlier generation do not count.
struct InFlightLimit {
    std::uint32_t most;
    std::atomic<std::uint32_t> now{0};  // sum of all workers

    explicit InFlightLimit(std::uint32_t most_in_flight) : most(most_in_flight) {}
    // False: the limit is reached. True: counts one more, until leave().
    bool enter() noexcept {
        if (now.fetch_add(1, std::memory_order_relaxed) < most) return true;
        leave();
        return false;
    }
    void leave() noexcept { now.fetch_sub(1, std::memory_order_relaxed); }
    // For a query that is in flight already.
    void take_over() noexcept { now.fetch_add(1, std::memory_order_relaxed); }
};

struct UpstreamGroup {
    // Its forward's tag, or "line 12" of an inline one; for logs.
    std::string name{};
    std::vector<std::uint16_t> members;  // indices of Snapshot::upstreams
    UpstreamPolicy policy = UpstreamPolicy::latency;
    std::uint32_t total_timeout_ms = 5000;
    std::uint8_t concurrent = 1;  // upstreams asked at the same time
    ResponseSelection selection = ResponseSelection::balanced;
    // Limit of questions in flight for all workers; nullptr: only the workers' own limits.
    std::shared_ptr<InFlightLimit> limit{};
};

}  // namespace steer

// The upstreams of a snapshot, and their groups (one for each `forward`).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer {

// How `streams` reaches an upstream that it queries by id: by name, through a proxy, over TLS...
enum class Channel : std::uint8_t {
    none,       // queried at its address over UDP, by a port or by kernel socket
    datagrams,  // over UDP, and over TCP after truncation
    stream,
};

struct Upstream {
    std::uint16_t id;  // same in all generations: index of NextHopTable::by_upstream, health
    IpAddress address;
    std::uint16_t port = 53;  // host order
    std::uint32_t timeout_ms = 2000;
    std::string name;                 // as configured, for people
    Channel channel = Channel::none;  // if not none, `address` may be IpAddress{}
    bool trust_ad = false;            // its AD bit is relayed (RFC 6840 5.8)
    bool cookies = false;             // it is sent cookies over UDP (RFC 7873 5.1)
    bool random_case = true;          // it may be sent names in random case (0x20)
    // Of a `recursion`: on loopback, where no datagram is lost and no one else answers.
    bool is_engine = false;
};

// Which member of a group gets a query first (forward/upstream_choice.h). The others follow if it
// fails.
enum class UpstreamPolicy : std::uint8_t { latency, sticky, round_robin, random, order, domain };
// Only our own probes decide whether a member is used: what clients ask has no influence.
constexpr bool is_by_probes(UpstreamPolicy policy) {
    return policy == UpstreamPolicy::order || policy == UpstreamPolicy::domain;
}

// The action for a negative reply (NXDOMAIN, no data) while other upstreams with the same query
// have not replied. A positive reply always ends the question, a failure never does.
enum class ResponseSelection : std::uint8_t {
    balanced,         // waits 100 ms for a positive one
    fastest,          // ends the question
    prefer_positive,  // waits for all
    consensus,        // waits for a second one of its kind, or for all
};

// One per generation: queries of an earlier generation do not count.
struct InFlightLimit {
    std::uint32_t most;
    std::atomic<std::uint32_t> now{0};  // sum over all workers

    explicit InFlightLimit(std::uint32_t most_in_flight) : most(most_in_flight) {}
    // Counts one more, until leave(), and returns true. Returns false if the limit is reached.
    bool enter() noexcept {
        if (now.fetch_add(1, std::memory_order_relaxed) < most) return true;
        leave();
        return false;
    }
    void leave() noexcept { now.fetch_sub(1, std::memory_order_relaxed); }
    // Counts a query that is in flight already.
    void take_over() noexcept { now.fetch_add(1, std::memory_order_relaxed); }
};

struct UpstreamGroup {
    // The tag of its forward, or "line 12" for an inline one; for logs.
    std::string name{};
    std::vector<std::uint16_t> members;  // indices of Snapshot::upstreams
    UpstreamPolicy policy = UpstreamPolicy::latency;
    std::uint32_t total_timeout_ms = 5000;
    std::uint8_t concurrent = 1;  // upstreams that get a query at the same time
    ResponseSelection selection = ResponseSelection::balanced;
    // Maximum outstanding queries of all workers; nullptr: only the workers' own limits.
    std::shared_ptr<InFlightLimit> limit{};
};

}  // namespace steer

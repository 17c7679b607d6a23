// A burst: up to 32 packets that go through the stages together.
//
// classify() sorts received packets into queries, upstreams' replies and packets that end there. The later
// stages iterate over the queries that are still in the burst (`live`) and take out those that they
// finish. Queries that came as messages (injected) are packets without an mbuf; they enter the stages at
// parse().
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/client_facts.h"
#include "dataplane/base/verdict.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/plan.h"
#include "matchers/prefix/ip_address.h"

struct rte_mbuf;

namespace steer {

struct Buffer;

inline constexpr unsigned kBurst = 32;
static_assert(kBurst <= cache::Cache::kBulk);

struct Packet {
    rte_mbuf* mbuf;            // owned; nullptr: injected
    Buffer* injected;          // owned; an InjectedQuery and the message
    std::uint8_t* dns;         // first byte of the message
    std::uint16_t dns_length;  // bytes of it
    std::uint16_t dns_room;    // bytes that fit from `dns` on
    std::uint8_t port;         // the lane of Transmit: of a moved query, that of the port's worker
    std::uint8_t l3_offset;    // of the IP header in the frame: 14, 18 or 22
    bool is_v6;
    std::uint16_t destination_port;  // host order
    std::uint16_t
        max_size;  // bytes of DNS in the answer: the transport's limit, lowered by parse() to the client's
    Verdict end;                 // of a traced one: set by Replier when it is not answered
    std::uint8_t stream;         // injected: where the answer goes ...
    std::uint64_t stream_token;  // ... and the token to return
    // For received frames: completed with the message's sum, by answer_from_packet_cache() or parse().
    PendingChecksum checksum;
    std::uint64_t message_sum;   // of the message, not folded; set by parse()
    std::uint64_t question_sum;  // of its question, likewise; set by parse()
    std::uint64_t
        packet_cache_hash;  // set by answer_from_packet_cache(), if burst.packet_cache_asked; 0: none
    ClientFacts client;
    IpAddress destination;
    const Plan* plan;           // set by lookup(): where the program begins; nullptr: at `entry`
    const cache::Entry* found;  // what lookup() found in the plan's cache
    dns::Query query;           // set by parse()
};

struct UpstreamFrame {
    rte_mbuf* mbuf;  // owned
    IpAddress source;
    std::uint16_t source_port, destination_port;
    std::span<const std::uint8_t> dns;
};

// A packet that ends in classify(): punted (the mbuf still has to be handed over) or dropped.
struct Ended {
    rte_mbuf* mbuf;
    Verdict verdict;
};

struct Burst {
    std::array<Packet, kBurst> packets;
    // Indices of queries that are still in the burst, rising.
    std::array<std::uint8_t, kBurst> live;
    unsigned live_count = 0;

    std::array<UpstreamFrame, kBurst> replies;
    unsigned reply_count = 0;
    std::array<Ended, kBurst> ended;
    unsigned ended_count = 0;
    bool packet_cache_asked = false;  // the packet cache was searched for all packets
    bool looked_up = false;           // `found` is the result of the cache of each packet's plan
    bool watched = false;             // hits go through the program too (SharedWatch, NSID)
    // Bit i: packet i has a trace (tracer.h), with this handle; set by add_injected() before it has.
    std::uint32_t traced = 0;
    std::array<std::uint16_t, kBurst> traces;

    void clear() {
        live_count = reply_count = ended_count = 0;
        packet_cache_asked = looked_up = watched = false;
        traced = 0;
    }
    Packet& next_packet() { return packets[live_count]; }  // only before a packet was taken out
    void keep_packet() {
        live[live_count] = static_cast<std::uint8_t>(live_count);
        ++live_count;
    }
    // Packets were taken out only at the end: live[i] is i.
    [[nodiscard]] bool is_whole() const {
        return live_count == 0 || live[live_count - 1] == live_count - 1;
    }
};

}  // namespace steer

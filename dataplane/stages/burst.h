// A burst: up to 32 packets that go through the stages together.
//
// classify() sorts received packets into queries, upstream replies and packets that end there.
// Later stages iterate over the queries that are still in the burst (`live`) and remove those that
// they finish. An injected query (a message from `streams`) is a packet without an mbuf. It enters
// the stages at parse().
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/client_facts.h"
#include "dataplane/base/verdict.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/cookie.h"
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
    std::uint16_t dns_room;    // bytes available from `dns` on
    std::uint8_t port;         // lane of Transmit; of a moved query, the lane of the port's worker
    std::uint8_t l3_offset;    // of the IP header in the frame: 14, 18 or 22
    bool is_v6;
    dns::CookieState cookie;     // set by Cookies::check_ends(), then by check()
    std::uint8_t cookie_length;  // of a cookie at the end of the message; 0: none was found there
    // Of that cookie, if the reply returns it unchanged; else 0. Query::cookie_sum is of it.
    std::uint8_t returned_cookie_length;
    std::uint16_t destination_port;  // host order
    std::uint16_t
        max_size;  // bytes of DNS in the answer: the transport's limit; after parse() the client's
    Verdict end;   // of a traced query without an answer; set by Replier
    std::uint8_t stream;         // injected: the streams thread that gets the answer ...
    std::uint64_t stream_token;  // ... and the token for it
    // For received frames: answer_from_packet_cache() or parse() adds the message's sum.
    PendingChecksum checksum;
    std::uint64_t message_sum;   // of the message, not folded; set by parse()
    std::uint64_t question_sum;  // of its question, likewise; set by parse()
    std::uint64_t
        packet_cache_hash;   // from answer_from_packet_cache(), if packet_cache_asked; 0: none
    std::uint16_t case_sum;  // set by answer_from_packet_cache(): PacketCache::case_difference()
    ClientFacts client;
    IpAddress destination;
    const Plan* plan;           // set by lookup(): start of the program; nullptr: at `entry`
    const cache::Entry* found;  // result of lookup() in the plan's cache
    dns::Query query;           // set by parse(); before, that of an earlier packet

    // For a packet that ends before parse(): it has no name and no type.
    void clear_query() { static_cast<dns::QueryHead&>(query) = dns::QueryHead{}; }
    // Of a packet that enters the burst. Without it, an end before parse() would read the place of
    // an earlier packet's cookie, which may be behind this message.
    void begin_without_cookie() {
        cookie = dns::CookieState::none;
        cookie_length = 0;
        query.cookie_length = 0;
    }
    // After parse(): what Cookies::check_ends() judged is the packet's cookie.
    [[nodiscard]] bool has_cookie_at_end() const {
        return cookie_length != 0 && query.cookie_length == cookie_length &&
               query.cookie_at + query.cookie_length == dns_length;
    }
};

struct UpstreamFrame {
    rte_mbuf* mbuf;  // owned
    IpAddress source;
    std::uint16_t source_port, destination_port;
    std::span<const std::uint8_t> dns;
};

// A packet that ends in classify(): punted (the mbuf still has to be passed on) or dropped.
struct Ended {
    rte_mbuf* mbuf;
    Verdict verdict;
};

struct Burst {
    std::array<Packet, kBurst> packets;
    // Indices of queries that are still in the burst, ascending.
    std::array<std::uint8_t, kBurst> live;
    unsigned live_count = 0;

    std::array<UpstreamFrame, kBurst> replies;
    unsigned reply_count = 0;
    std::array<Ended, kBurst> ended;
    unsigned ended_count = 0;
    bool packet_cache_asked = false;  // the packet cache was searched for all packets
    bool has_lookup = false;          // `found` is the result from the cache of each packet's plan
    bool watched = false;             // hits go through the program too (SharedWatch, NSID)
    // Bit i: packet i has a trace (tracer.h), with this handle. add_injected() sets it before the
    // trace exists.
    std::uint32_t traced = 0;
    // Bit i: packet i has no short cut to an answer; set by parse().
    std::uint32_t set_aside = 0;
    // Bit i: a rule may block the name of packet i (answer/name_rules.h). It has no short cut to an
    // answer; set by mark_covered().
    std::uint32_t covered = 0;
    // Bit i: the end of packet i resembles a COOKIE option; set by classify() and
    // add_injected().
    std::uint32_t cookie_ends = 0;
    // Bit i: packet i has a COOKIE option that is not at its end, or an end that only resembles one;
    // set by parse().
    std::uint32_t with_cookie = 0;
    std::array<std::uint16_t, kBurst> traces;

    void clear() {
        live_count = reply_count = ended_count = 0;
        packet_cache_asked = has_lookup = watched = false;
        traced = set_aside = covered = cookie_ends = with_cookie = 0;
    }
    Packet& next_packet() { return packets[live_count]; }  // only before a packet is removed
    void keep_packet() {
        live[live_count] = static_cast<std::uint8_t>(live_count);
        ++live_count;
    }
    // Whether packets were removed only at the end: live[i] is i.
    [[nodiscard]] bool is_whole() const {
        return live_count == 0 || live[live_count - 1] == live_count - 1;
    }
};

}  // namespace steer

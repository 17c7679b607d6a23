// An event from a worker to `routers`. Either an answer is sent, so a list must have these
// addresses. Or clients got addresses of the list for another name. Passed by value through an SPSC
// ring per worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/list_state.h"
#include "matchers/counter_table.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// A hold token: worker << 56 | parked index << 32 | low 32 bits of its sequence. Never 0, because
// the index counts from 1.
constexpr std::uint64_t make_hold_token(unsigned worker, std::uint32_t parked_index,
                                        std::uint32_t sequence) {
    return std::uint64_t{worker} << 56 | std::uint64_t{(parked_index + 1) & 0xffffff} << 32 |
           sequence;
}
constexpr unsigned worker_of_hold_token(std::uint64_t token) {
    return static_cast<unsigned>(token >> 56);
}

inline constexpr std::size_t kEventAddresses = 16;  // more addresses need more events

enum class EventKind : std::uint8_t {
    claim,
    shortened,       // more than max_addresses; uses only raised_ms, list, name and client
    shared_address,  // of `shared: report|skip`; only raised_ms, list, count, name, addresses
};

struct Event {
    std::uint64_t raised_ms;  // CLOCK_BOOTTIME
    std::uint64_t
        lease_end_ms;  // end of the client's use of the address: TTL that was sent + extra_time
    std::uint64_t hold_token;  // 0: no answer waits; else returned in MessageKind::acknowledged
    std::uint32_t row_life_s;  // life of the row; 0: no timeout (claim_word.h: L)
    ListId list;
    std::uint8_t worker;  // the worker with the waiting answer
    std::uint8_t count;   // of addresses
    std::uint8_t name_len;
    EventKind kind;
    bool skips_shared;          // the list has `shared: skip`
    std::uint8_t shared_above;  // shared_address: the list's setting
    bool has_client;            // false: the client is a forwarder (trusted_forwarders)
    std::uint8_t reserved[3];
    IpAddress client;
    std::array<std::uint8_t, 256> name;  // lower-cased wire form: the row's `dm`
    std::array<IpAddress, kEventAddresses> addresses;
};
static_assert(sizeof(Event) == 40 + 16 + 256 + 256);

// The outcome of a claim for the answer that needs it (docs/reference/glossary.md).
#define STEER_OUTCOMES(X)                                                 \
    X(installed, "the row was acknowledged before the answer left")       \
    X(already_there, "an existing row already covered the lease")         \
    X(late, "the answer left before its row was acknowledged")            \
    X(router_away, "the router was unreachable; the answer did not wait") \
    X(failed, "the router rejected the row")                              \
    X(refused, "the list, or a share of it, is full: no row (`on_full`)")
STEER_COUNTER_ENUM(Outcome, kOutcomes, STEER_OUTCOMES);

}  // namespace steer

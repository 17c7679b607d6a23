// A parked query: all that is kept of a query that waits, for an upstream or for a router. A small fixed record,
// not a packet. Belongs to the worker that took the query; while it waits for an upstream, the owner worker of its
// hash may read the question and owns `next_waiter` (the ask and reply messages order those accesses), and the
// record is not freed before the owner's reply.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/dns/query.h"
#include "dataplane/event/list_state.h"
#include "dataplane/policy/program.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct Buffer;
struct Snapshot;

// How the answer gets back.
struct ReturnPath {
    enum class Kind : std::uint8_t { port, stream };
    Kind kind = Kind::port;
    std::uint8_t port = 0;              // index in the worker's ports
    std::uint8_t stream = 0;            // index of the streams thread
    bool tagged = false;
    std::uint16_t vlan_tci = 0;
    std::uint16_t client_port = 0;      // host order
    std::uint16_t local_port = 0;
    std::uint16_t max_size = 0;         // what the client takes, bytes of DNS
    MacAddress client_mac{}, local_mac{};
    IpAddress client, local;
    std::uint64_t stream_token = 0;
};

// Where a program stands. Copied into the parked record and back.
struct ProgramState {
    std::uint16_t pc = 0;
    std::uint8_t depth = 0;                             // wrappers entered
    std::uint8_t list_count = 0;                        // lists claimed so far
    std::array<std::uint16_t, kMaxWrappers> wrappers{}; // their pcs
    std::array<std::uint8_t, 8> lists{};                // indices of Snapshot::lists
    std::uint64_t marks = 0;
    std::uint32_t tag_set = 0;                          // id in the worker's TagSets; 0: not matched yet
    std::uint32_t ttl_cap_s = UINT32_MAX;
};

struct alignas(64) Parked {
    enum class State : std::uint8_t { free, waits_upstream, held };

    // Written by the worker when it parks the query, read by the owner worker.
    State state;
    std::uint8_t worker;
    std::uint8_t qname_len;
    std::uint8_t holds_left;            // events that are not settled yet
    std::uint16_t id, qtype, qclass, flags;   // of the client's query; flags: header word
    dns::Edns edns;
    std::uint32_t index;                // own place in the pool
    std::uint32_t sequence;             // counts up at each use: a stale token does not match
    std::uint32_t deadline_ms32;        // low 32 bits of the time at which holding ends
    const Snapshot* snapshot;           // its generation stays alive until the record is freed
    Parked* next_waiter;                // owner's, while waits_upstream
    Buffer* answer;                     // held: the answer
    ProgramState program;
    ReturnPath path;
    std::array<std::uint8_t, 256> qname;  // wire form as the client wrote it
};
// 256 of them are the name; max_parked of them are allocated at start.
static_assert(sizeof(Parked) <= 448);

}  // namespace steer

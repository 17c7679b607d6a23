// The far side of a memif port: a process of its own, as a packet generator or a virtual switch would be.
#pragma once

#include <cstdint>
#include <string>

#include "bench/fail.h"

struct rte_mempool;

namespace steer::bench {

inline constexpr unsigned kBurst = 32;  // frames

// A net_memif device in the client's role, one queue.
struct MemifPeer {
    std::uint16_t device;
    rte_mempool* pool;
};

struct PeerOptions {
    std::string socket;         // absolute path; the server makes it
    std::string tap;            // bridge: the interface to make here
    std::string gaps;           // load: a file of the server's (turn_gaps.h)
    std::string pcap, answers;  // load: the queries; "NAME ADDRESS…" lines
    double seconds = 2;
    double rate = 0;    // load: queries a second, one at a time; 0: as fast as the memif takes them
    bool open = false;  // with a rate: at random times, without waiting for the one before
    unsigned random_seed = 1;
    bool swapped = false;          // load: replies are the queries turned round (testpmd's 5tswap)
    bool without_records = false;  // load: of a reply only headers and question are compared
    bool no_huge = false;
    unsigned mbufs = 32'767;
    std::string core = "1";
};

// Starts the device and waits until the server is there; fails after 20 s.
void connect(const MemifPeer& peer, const PeerOptions& options);

// Copies frames between the memif and a new TAP, until SIGTERM. Prints "ready" when the tap is there.
int run_bridge(const MemifPeer& peer, const PeerOptions& options);
// Sends the queries over and over as fast as the memif takes them, once all of them have been answered; compares every
// 64th reply. Prints one line of JSON. 1: a reply was wrong. With a rate: what each round trip took, instead.
int run_load(const MemifPeer& peer, const PeerOptions& options);

}  // namespace steer::bench

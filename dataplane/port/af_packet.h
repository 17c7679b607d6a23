// Ports on an AF_PACKET socket: for interfaces whose driver does not run XDP.
//
// The kernel keeps the interface and sees every packet as well: what is not ours needs no handing over, and
// what is ours the kernel must not answer (control/stream leaves it to the port). A filter lets only UDP in
// one piece into our ring, and nothing that this machine sends, so that other traffic does not push queries
// out of it. Fragments stay the kernel's: DPDK's net_af_packet puts them together, which answers them twice,
// and waits without end for an interface that is down; that is why this is a backend of its own.
//
// Cost: a copy in, a copy out, one system call a burst that is sent. Several queues share the interface by the
// kernel's flow hash (PACKET_FANOUT).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/result.h"

namespace steer {

struct AfPacketOptions {
    unsigned queues = 1;
    unsigned ring_bytes = 8U << 20;  // of received frames, per queue
    unsigned mbufs = 8191;           // per queue
};

inline constexpr unsigned kMaxPacketQueues = 64;
inline constexpr unsigned kMaxPacketMtu = 9216;

// EAL must be up. Errors: no such interface, more queues or a larger MTU than the above, no permission, no
// memory.
Result<std::vector<std::unique_ptr<Port>>> open_af_packet(const std::string& interface,
                                                          const AfPacketOptions& options);

}  // namespace steer

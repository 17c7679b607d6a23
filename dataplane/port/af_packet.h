// Ports on an AF_PACKET socket, for interfaces with a driver that does not run XDP.
//
// The kernel keeps the interface and also sees every packet. Packets that are not ours need no
// punt. The kernel must not answer our packets (control/streams leaves them to the port). A filter
// lets only unfragmented UDP into our ring, and nothing that this machine sends. So other traffic
// does not push queries out of the ring. Fragments are left to the kernel. DPDK's net_af_packet
// reassembles fragments, so both would answer them. It also waits forever for an interface that is
// down. So this is a separate backend.
//
// Cost: a copy in, a copy out, one system call per sent burst. Several queues share the interface
// by the kernel's flow hash (PACKET_FANOUT).
//
// The interface may be removed and return under its name, as with AF_XDP (af_xdp.h). A socket of a
// fanout group refuses a second bind(), so control opens new sockets for the same ports.
#pragma once

#include <memory>
#include <span>
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

// EAL must be initialized. Errors: no such interface, more queues or a larger MTU than the above,
// no permission, no memory.
Result<std::vector<std::unique_ptr<Port>>> open_af_packet(const std::string& interface,
                                                          const AfPacketOptions& options);

// Whether the port's interface is still the one of its sockets. Control only, as all that follows.
bool is_bound_af_packet(const Port& port);
// Closes the sockets of a removed interface. Each worker first leaves them alone in its next rx().
// Returns false until all have; then call again.
bool release_af_packet(std::span<Port* const> ports);
// Opens new sockets for the same ports on the interface that has the name now. Errors as
// open_af_packet's, and an MTU that the ports' packets do not hold. May be tried again.
Result<void> reopen_af_packet(const std::string& interface, std::span<Port* const> ports,
                              const AfPacketOptions& options);
// The largest MTU whose packets fit.
unsigned largest_packet_mtu(const Port& port);

}  // namespace steer

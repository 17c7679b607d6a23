// Ports on a kernel interface through our own AF_XDP sockets (libxdp). The kernel keeps the
// interface.
//
// One Port is one receive queue with its own UMEM, which is also its mbuf pool. An mbuf's buffer is
// a frame. So received packets are not copied, and a packet taken from pool() is sent without a
// copy. The XDP program passes all other packets to the kernel before they get here, so punt()
// accepts none.
//
// Cost per burst: no system call on receive, or one if a zero-copy driver needs a wake-up. One
// sendto() in flush() if packets were sent and the kernel requests it. With `busy_poll`, one more
// recvfrom() for each rx() that finds no packet: then the worker drives the device, not its
// interrupts.
//
// The device may be removed and return under its name (release_af_xdp, reopen_af_xdp). The Port
// stays. Its worker notices the change in rx(); until then, it receives and sends nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "dataplane/port/xdp_steering.h"
#include "matchers/result.h"

namespace steer {

struct AfXdpOptions {
    unsigned queues = 0;     // number that the device must have; 0: as it has
    unsigned frames = 8192;  // per queue, a power of two; at least four times `ring`
    unsigned ring = 2048;    // descriptors of each of the four rings, a power of two
    unsigned busy_poll = 0;  // packets that the device handles per call of the worker; 0: off
};

// Opens every receive queue of the steering's device, in order. Packets of an unbound queue would
// go to the kernel, which does not answer them. EAL must be initialized; same network namespace as
// the steering. Errors: another number of queues than requested (with the ethtool command that
// changes it), an MTU that does not fit a frame, no permission, no memory.
Result<std::vector<std::unique_ptr<Port>>> open_af_xdp(const XdpSteering& steering,
                                                       const AfXdpOptions& options = {});

// Releases the sockets of a removed device, and returns their frames to the pools. Each worker
// first releases the rings in its next rx(). Returns false until all have; then call again. Control
// only.
bool release_af_xdp(std::span<Port* const> ports);
// For a device that is back, after steering.reattach(): opens sockets over the same frames for the
// same ports. Errors as open_af_xdp's, and another number of queues than before. May be tried
// again.
Result<void> reopen_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                           const AfXdpOptions& options);

// A description for logs: "2 queues, native XDP by link, zero copy, woken when needed".
std::string describe_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                            const AfXdpOptions& options);
// The largest MTU whose packets fit the frames of an open port.
unsigned largest_mtu(const Port& port);

// The number of queues that the XDP program has sockets for.
inline constexpr unsigned kMaxXdpQueues = 64;

// The largest possible MTU: a frame is half a page or one page, with 256 bytes of headroom and two
// VLAN tags.
inline constexpr unsigned kMaxXdpMtu = 3506;

}  // namespace steer

// Ports on a kernel interface through AF_XDP sockets of our own (libxdp). The kernel keeps the interface.
//
// One Port is one receive queue with a UMEM of its own. Its mbuf pool is the UMEM: an mbuf's buffer is a
// frame, so a received packet is not copied by us, and a packet taken from pool() is sent without a copy.
// What the kernel should have is passed on by the XDP program before it gets here, so punt() takes nothing.
//
// Cost per burst: no system call on receive (one, if a zero-copy driver asks to be woken); one sendto() in
// flush() if something was sent and the kernel asks for it. With `busy_poll` one recvfrom() more for each
// rx() that finds nothing: the device is then worked by the worker, not by its interrupts.
//
// The device may go and come back under its name (release_af_xdp, reopen_af_xdp): the Port stays, its
// worker notices in rx(), and between the two it receives nothing and sends nothing.
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
    unsigned queues = 0;     // how many the device must have; 0: as many as it has
    unsigned frames = 8192;  // per queue, a power of two; at least four times `ring`
    unsigned ring = 2048;    // descriptors of each of the four rings, a power of two
    unsigned busy_poll = 0;  // packets a call that the worker lets the device handle; 0: off
};

// Every receive queue of the steering's device, in their order: what comes in on an unbound queue would go
// to the kernel, which has nobody to answer it. EAL must be up; same network namespace as the steering.
// Errors: another number of queues than asked for (with the ethtool line that mends it), an MTU above what
// a frame holds, no permission, no memory.
Result<std::vector<std::unique_ptr<Port>>> open_af_xdp(const XdpSteering& steering,
                                                       const AfXdpOptions& options = {});

// The sockets of a device that went are let go, their frames back in their pools. Each worker takes its
// hands off first, in its next rx(): false until all have, then call again. Control only.
bool release_af_xdp(std::span<Port* const> ports);
// The device is back and steering.reattach() is done: sockets over the same frames for the same ports, which
// serve from now on. Errors as open_af_xdp's, and another number of queues than before; may be tried again.
Result<void> reopen_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                           const AfXdpOptions& options);

// How it is served, for people: "2 queues, native XDP by link, zero copy, woken when needed".
std::string describe_af_xdp(const XdpSteering& steering, std::span<Port* const> ports,
                            const AfXdpOptions& options);
// The largest MTU whose packets fit the frames of an open port.
unsigned largest_mtu(const Port& port);

// Queues that the XDP program knows sockets for.
inline constexpr unsigned kMaxXdpQueues = 64;

// Largest MTU that works: a frame is half a page or one, with 256 bytes of headroom and two VLAN tags.
inline constexpr unsigned kMaxXdpMtu = 3506;

}  // namespace steer

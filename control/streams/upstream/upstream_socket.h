// Sockets to upstreams: their preparation, their source address, and their datagrams.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/streams/base/stream_context.h"

namespace steer::stream {

// Sets mark, device and VRF. Returns 0 or errno.
int prepare_socket(const StreamContext& context, int socket, const IpAddress& to,
                   std::uint32_t mark, const std::string& device);
// The source address of a new socket to `to`; no value: no route.
std::optional<IpAddress> source_towards(const StreamContext& context, const IpAddress& to,
                                        std::uint32_t mark, const std::string& device);

// For a UDP socket. The kernel then reports datagrams that arrived as fragments, and learns no path
// MTU from ICMP errors about its queries: an attacker can forge those (CVE-2021-20322). Queries are
// shorter than any path MTU.
void guard_datagrams(int socket, bool is_v4);

struct Datagram {
    ssize_t length = -1;  // of the whole datagram, also without room; below 0: `error` is errno
    int error = 0;
    bool is_fragmented = false;  // it arrived as fragments; an attacker can forge one of them
};
// Receives one datagram without waiting.
Datagram receive_datagram(int socket, std::span<std::uint8_t> room);

struct ReceivedReply {
    Datagram datagram;
    Buffer* buffer = nullptr;  // the caller's, with the datagram; nullptr: an error, or no buffer
};
// The same, into a buffer of the context. Without one, the datagram is lost and counted.
ReceivedReply receive_reply(StreamContext& context, int socket);

// Whether an error of a socket to this address may be a forged ICMP error. Only this machine sends
// to a loopback address.
[[nodiscard]] bool may_be_forged(const IpAddress& upstream);

}  // namespace steer::stream

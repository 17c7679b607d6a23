// A socket for the mDNS group of one family on one interface (RFC 6762 3, 11, 15.1).
//
// It is bound to the group's own address, so that it shares port 5353 with a responder of this host (avahi) and takes none of
// the unicast answers that are meant for that. It sends with TTL or hop limit 255 from the interface's own
// address, and nothing of it comes back to this host.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "control/mdns/repeater.h"
#include "matchers/result.h"

namespace steer::mdns {

// The room that read_packet() needs: one byte more than a message may have.
inline constexpr std::size_t kPacketRoom = kMaxMessageBytes + 1;

// Non-blocking, owned by the caller. Error: what the kernel refuses, with the interface's name.
Result<int> open_link_socket(int if_index, const std::string& name, bool v6);

// Takes one packet; false: there is none now. `arrival.bytes` is of `room`.
bool read_packet(int socket, std::span<std::uint8_t> room, Arrival& arrival);

// Whether the kernel took it.
bool write_to_group(int socket, int if_index, bool v6, std::span<const std::uint8_t> bytes);
bool write_to(int socket, const LegacyQuerier& querier, std::span<const std::uint8_t> bytes);

}  // namespace steer::mdns

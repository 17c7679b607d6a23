// A socket for the mDNS group of one family on one interface (RFC 6762 3, 11, 15.1).
//
// It is bound to the group's own address. So it shares port 5353 with a responder of this host
// (avahi) and does not receive unicast answers to that responder. It sends with TTL or hop limit
// 255 from the interface's own address. Its packets do not return to this host.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "control/mdns/repeater.h"
#include "matchers/result.h"

namespace steer::mdns {

// The buffer size for read_packet(): one byte more than the longest message.
inline constexpr std::size_t kPacketRoom = kMaxMessageBytes + 1;

// Non-blocking, owned by the caller. Error: the kernel's refusal, with the interface's name.
Result<int> open_link_socket(int if_index, const std::string& name, bool v6);

// Reads one packet. Returns false if there is none now. `arrival.bytes` points into `room`.
bool read_packet(int socket, std::span<std::uint8_t> room, Arrival& arrival);

// Returns whether the kernel accepted the packet.
bool write_to_group(int socket, int if_index, bool v6, std::span<const std::uint8_t> bytes);
bool write_to(int socket, const LegacyQuerier& querier, std::span<const std::uint8_t> bytes);

}  // namespace steer::mdns

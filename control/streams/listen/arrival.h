// How a datagram arrived: its interface, and whether it was a plain packet (unfragmented, without
// IP options or extension headers). A port handles only plain packets. On a copying port
// (AF_PACKET) the kernel also sees them, and they must not be answered twice.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace steer::stream {

// Space for the ancillary data of one datagram; longer data is not needed.
inline constexpr std::size_t kArrivalBytes = 192;

struct Arrival {
    int if_index = 0;  // 0: unknown
    bool plain = true;
};

// Enables this information for each datagram of this socket.
void ask_for_arrival(int socket, int family);
Arrival read_arrival(msghdr& message);

}  // namespace steer::stream

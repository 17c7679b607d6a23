// How a datagram came: by which interface, and whether as a plain packet (in one piece, without IP options
// or extension headers). A port of frames takes plain packets only; on a copying port (AF_PACKET) the kernel
// sees those as well, and they must not be answered twice.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace steer::stream {

// Room for the ancillary data of one datagram; what does not fit is not needed.
inline constexpr std::size_t kArrivalBytes = 192;

struct Arrival {
    int if_index = 0;  // 0: not said
    bool plain = true;
};

// Asks the kernel to say it with each datagram of this socket.
void ask_for_arrival(int socket, int family);
Arrival read_arrival(msghdr& message);

}  // namespace steer::stream

// Options of UDP sockets.
#pragma once

namespace steer::stream {

// linux/udp.h has them, beside what netinet/udp.h defines again.
inline constexpr int kUdpSegment = 103;  // datagrams of one size in one call, sent
inline constexpr int kUdpGro = 104;      // and received

// For a socket that steerdns-quic reads: marks of ECN, several datagrams in one call, and no path
// MTU from ICMP.
void prepare_for_quic(int socket, bool is_v4);

}  // namespace steer::stream

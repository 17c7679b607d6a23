// Where things are in a frame of Ethernet, IPv4 without options, UDP and DNS: offsets in bytes.
#pragma once

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <cstddef>

namespace steer::bench {

inline constexpr std::size_t kIp = sizeof(rte_ether_hdr);
inline constexpr std::size_t kUdp = kIp + sizeof(rte_ipv4_hdr);
inline constexpr std::size_t kDns = kUdp + sizeof(rte_udp_hdr);
inline constexpr std::size_t kName = kDns + 12;  // of the question

}  // namespace steer::bench

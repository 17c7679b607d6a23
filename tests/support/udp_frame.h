// UDP in IP in Ethernet, made and read byte by byte, without any code of the product: the far side of a port.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer::test {

struct UdpFrame {
    MacAddress from_mac{}, to_mac{};
    std::vector<std::uint16_t> vlans{};  // tags outermost first, 802.1Q
    IpAddress from, to;                  // both of one family
    std::uint16_t from_port = 0, to_port = 0;
    std::vector<std::uint8_t> payload{};
};

// Checksums right, TTL 64, no fragment.
std::vector<std::uint8_t> make_udp_frame(const UdpFrame& f);

// Nothing if it is not UDP; `wrong` says what is not as it must be (a length, a checksum), empty if all is.
std::optional<UdpFrame> read_udp_frame(std::span<const std::uint8_t> frame, std::string& wrong);

}  // namespace steer::test

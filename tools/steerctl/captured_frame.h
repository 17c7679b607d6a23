// DNS over UDP in a frame of a capture file: Ethernet, VLAN tags, raw IP and Linux "cooked" frames;
// IPv4 and IPv6.
//
// Pure; reads nothing outside the given bytes. Ignores checksums, because NICs fill them in after
// the capture. RFC 791, 8200, 768; IEEE 802.1Q; LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of
// tcpdump.org.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <span>

namespace steerctl {

inline constexpr std::uint16_t kDnsPort = 53;

enum class LinkType : std::uint8_t { ethernet, raw_ip, linux_cooked, linux_cooked2 };

enum class FrameKind : std::uint8_t {
    dns,       // a datagram from or to UDP port 53
    other,     // none of these
    tcp,       // from or to TCP port 53
    fragment,  // of a UDP datagram
    cut,       // headers are missing, or have wrong lengths
};

struct CapturedDatagram {
    boost::asio::ip::address source, destination;
    std::uint16_t source_port = 0, destination_port = 0;
    std::span<const std::uint8_t> message;  // points into the frame
    bool is_cut = false;                    // the frame lacks bytes of the message
};

// Fills `out` if it is FrameKind::dns.
FrameKind read_frame(LinkType link, std::span<const std::uint8_t> frame, CapturedDatagram& out);

}  // namespace steerctl

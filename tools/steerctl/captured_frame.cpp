#include "captured_frame.h"

#include <algorithm>
#include <cstddef>

namespace steerctl {
namespace {

namespace ip = boost::asio::ip;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kTcp = 6, kUdp = 17;

std::uint16_t be16(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

template <class Address>
ip::address address_at(Bytes bytes, std::size_t at) {
    typename Address::bytes_type raw;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), raw.size(), raw.begin());
    return Address(raw);
}

// What is left of a frame behind the headers that were read.
struct Rest {
    Bytes bytes;
    std::size_t missing = 0;  // bytes of the IP datagram behind them that the frame does not have
};

FrameKind read_transport(std::uint8_t protocol, const Rest& rest, CapturedDatagram& out) {
    constexpr std::size_t kPorts = 4, kUdpHeader = 8;
    if (protocol != kTcp && protocol != kUdp) return FrameKind::other;
    if (rest.bytes.size() < kPorts) return FrameKind::cut;
    out.source_port = be16(rest.bytes, 0);
    out.destination_port = be16(rest.bytes, 2);
    if (out.source_port != kDnsPort && out.destination_port != kDnsPort) return FrameKind::other;
    if (protocol == kTcp) return FrameKind::tcp;
    if (rest.bytes.size() < kUdpHeader) return FrameKind::cut;
    const std::size_t length = be16(rest.bytes, 4);
    if (length < kUdpHeader || length > rest.bytes.size() + rest.missing) return FrameKind::cut;
    out.is_cut = length > rest.bytes.size();
    out.message = rest.bytes.subspan(kUdpHeader, std::min(length, rest.bytes.size()) - kUdpHeader);
    return FrameKind::dns;
}

// The first `length` bytes of what should be there.
Rest limited(Bytes bytes, std::size_t length) {
    const std::size_t there = std::min(length, bytes.size());
    return {bytes.first(there), length - there};
}

FrameKind read_v4(Bytes packet, CapturedDatagram& out) {
    constexpr std::size_t kHeader = 20;
    constexpr unsigned kFragmentBits = 0x3fff;  // more fragments, and the offset
    if (packet.size() < kHeader) return FrameKind::cut;
    const std::size_t header = (packet[0] & 15U) * std::size_t{4};
    const std::size_t total = be16(packet, 2);
    if (header < kHeader || total < header || packet.size() < header) return FrameKind::cut;
    const std::uint8_t protocol = packet[9];
    if ((be16(packet, 6) & kFragmentBits) != 0)
        return protocol == kUdp ? FrameKind::fragment : FrameKind::other;
    out.source = address_at<ip::address_v4>(packet, 12);
    out.destination = address_at<ip::address_v4>(packet, 16);
    return read_transport(protocol, limited(packet.subspan(header), total - header), out);
}

FrameKind read_v6(Bytes packet, CapturedDatagram& out) {
    constexpr std::size_t kHeader = 40, kUnit = 8;
    constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51,
                           kDestination = 60;
    if (packet.size() < kHeader) return FrameKind::cut;
    out.source = address_at<ip::address_v6>(packet, 8);
    out.destination = address_at<ip::address_v6>(packet, 24);
    std::uint8_t next = packet[6];
    Rest rest = limited(packet.subspan(kHeader), be16(packet, 4));
    for (;;) {
        if (next != kHopByHop && next != kRouting && next != kFragment && next != kAuthentication &&
            next != kDestination)
            return read_transport(next, rest, out);
        if (rest.bytes.size() < kUnit) return FrameKind::cut;
        std::size_t length = kUnit;
        if (next == kAuthentication) {
            length = (rest.bytes[1] + std::size_t{2}) * 4;  // RFC 4302 2.2
        } else if (next != kFragment) {
            length = (rest.bytes[1] + std::size_t{1}) * kUnit;
        } else if ((be16(rest.bytes, 2) & 0xfff9U) != 0) {  // offset and M: it is not all
            return rest.bytes[0] == kUdp ? FrameKind::fragment : FrameKind::other;
        }
        if (rest.bytes.size() < length) return FrameKind::cut;
        next = rest.bytes[0];
        rest.bytes = rest.bytes.subspan(length);
    }
}

FrameKind read_by_type(std::uint16_t type, Bytes payload, CapturedDatagram& out) {
    constexpr std::uint16_t kV4 = 0x0800, kV6 = 0x86dd, kVlan = 0x8100, kProvider = 0x88a8,
                            kOldProvider = 0x9100;
    constexpr std::size_t kTag = 4;
    while (type == kVlan || type == kProvider || type == kOldProvider) {
        if (payload.size() < kTag) return FrameKind::cut;
        type = be16(payload, 2);
        payload = payload.subspan(kTag);
    }
    if (type == kV4) return read_v4(payload, out);
    return type == kV6 ? read_v6(payload, out) : FrameKind::other;
}

}  // namespace

FrameKind read_frame(LinkType link, Bytes frame, CapturedDatagram& out) {
    if (link == LinkType::raw_ip) {
        if (frame.empty()) return FrameKind::cut;
        const unsigned version = frame[0] >> 4U;
        if (version == 4) return read_v4(frame, out);
        return version == 6 ? read_v6(frame, out) : FrameKind::other;
    }
    struct Header {
        std::size_t size, type_at;
    };
    const Header header = link == LinkType::ethernet       ? Header{14, 12}
                          : link == LinkType::linux_cooked ? Header{16, 14}
                                                           : Header{20, 0};
    if (frame.size() < header.size) return FrameKind::cut;
    return read_by_type(be16(frame, header.type_at), frame.subspan(header.size), out);
}

}  // namespace steerctl

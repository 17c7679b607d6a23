#include "captured_frame.h"

#include <algorithm>
#include <cstddef>

#include "dataplane/dns/frame_walk.h"

namespace steerctl {
namespace {

namespace ip = boost::asio::ip;
using Bytes = std::span<const std::uint8_t>;

namespace dns = steer::dns;
using Piece = dns::IpPayload::Piece;

template <class Address>
ip::address address_at(Bytes bytes, std::size_t at) {
    typename Address::bytes_type raw;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), raw.size(), raw.begin());
    return Address(raw);
}

FrameKind read_transport(const dns::IpPayload& payload, CapturedDatagram& out) {
    constexpr std::size_t kPorts = 4, kUdpHeader = 8;
    const Bytes bytes = payload.bytes;
    if (payload.piece != Piece::whole)
        return payload.protocol == dns::kIpUdp ? FrameKind::fragment : FrameKind::other;
    if (payload.is_cut) return FrameKind::cut;
    if (payload.protocol != dns::kIpTcp && payload.protocol != dns::kIpUdp) return FrameKind::other;
    if (bytes.size() < kPorts) return FrameKind::cut;
    out.source_port = dns::load_be16(bytes.data());
    out.destination_port = dns::load_be16(&bytes[2]);
    if (out.source_port != kDnsPort && out.destination_port != kDnsPort) return FrameKind::other;
    if (payload.protocol == dns::kIpTcp) return FrameKind::tcp;
    if (bytes.size() < kUdpHeader) return FrameKind::cut;
    const std::size_t length = dns::load_be16(&bytes[4]);
    if (length < kUdpHeader || length > bytes.size() + payload.missing) return FrameKind::cut;
    out.is_cut = length > bytes.size();
    out.message = bytes.subspan(kUdpHeader, std::min(length, bytes.size()) - kUdpHeader);
    return FrameKind::dns;
}

FrameKind read_v4(Bytes packet, CapturedDatagram& out) {
    if (packet.size() < dns::kIpv4Least) return FrameKind::cut;
    out.source = address_at<ip::address_v4>(packet, 12);
    out.destination = address_at<ip::address_v4>(packet, 16);
    return read_transport(dns::walk_ipv4(packet), out);
}

FrameKind read_v6(Bytes packet, CapturedDatagram& out) {
    if (packet.size() < dns::kIpv6Least) return FrameKind::cut;
    out.source = address_at<ip::address_v6>(packet, 8);
    out.destination = address_at<ip::address_v6>(packet, 24);
    return read_transport(dns::walk_ipv6(packet), out);
}

FrameKind read_by_type(std::uint16_t type, Bytes payload, CapturedDatagram& out) {
    constexpr std::uint16_t kOldServiceVlan = 0x9100;  // before IEEE 802.1ad
    while (dns::is_vlan_tag(type) || type == kOldServiceVlan) {
        if (payload.size() < dns::kVlanTagSize) return FrameKind::cut;
        type = dns::load_be16(&payload[2]);
        payload = payload.subspan(dns::kVlanTagSize);
    }
    if (type == dns::kEtherIpv4) return read_v4(payload, out);
    return type == dns::kEtherIpv6 ? read_v6(payload, out) : FrameKind::other;
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
    return read_by_type(dns::load_be16(&frame[header.type_at]), frame.subspan(header.size), out);
}

}  // namespace steerctl

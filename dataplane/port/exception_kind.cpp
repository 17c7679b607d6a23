#include "dataplane/port/exception_kind.h"

#include "dataplane/base/client_transport.h"
#include "dataplane/dns/frame_walk.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

constexpr std::uint8_t kFirstDiscovery = 133, kLastDiscovery = 137;  // RFC 4861 4

constexpr bool is_quic_port(std::uint16_t port) {
    return port == row_of(ClientTransport::doq).default_port ||
           port == row_of(ClientTransport::doh3).default_port;
}

ExceptionKind of_udp(std::span<const std::uint8_t> datagram) {
    constexpr std::size_t kPorts = 4;
    const bool is_quic =
        datagram.size() >= kPorts && (is_quic_port(dns::load_be16(datagram.data())) ||
                                      is_quic_port(dns::load_be16(&datagram[2])));
    return is_quic ? ExceptionKind::quic : ExceptionKind::udp;
}

ExceptionKind of_protocol(const dns::IpPayload& payload) {
    switch (payload.protocol) {
        case dns::kIpIcmp:
            return ExceptionKind::icmp;
        case dns::kIpTcp:
            return ExceptionKind::tcp;
        case dns::kIpUdp:
            return of_udp(payload.bytes);
        default:
            return ExceptionKind::other;
    }
}

ExceptionKind of_ipv4(const dns::IpPayload& payload) {
    if (payload.piece != dns::IpPayload::Piece::whole) return ExceptionKind::fragment;
    return of_protocol(payload);
}

ExceptionKind of_ipv6(const dns::IpPayload& payload) {
    if (payload.has_fragment_header) return ExceptionKind::fragment;
    if (payload.is_cut || payload.protocol == dns::kIpIcmp) return ExceptionKind::other;
    if (payload.protocol != dns::kIpIcmp6) return of_protocol(payload);
    if (payload.bytes.empty()) return ExceptionKind::other;
    const std::uint8_t type = payload.bytes[0];
    return type >= kFirstDiscovery && type <= kLastDiscovery ? ExceptionKind::nd
                                                             : ExceptionKind::icmp6;
}

}  // namespace

ExceptionKind exception_kind(std::span<const std::uint8_t> frame) noexcept {
    std::uint8_t at = 0;
    const auto type = dns::skip_link_layer(frame.data(), frame.size(), at);
    if (!type) return ExceptionKind::other;
    switch (*type) {
        case dns::kEtherArp:
            return ExceptionKind::arp;
        case dns::kEtherIpv4:
            return of_ipv4(dns::walk_ipv4(frame.subspan(at)));
        case dns::kEtherIpv6:
            return of_ipv6(dns::walk_ipv6(frame.subspan(at)));
        default:
            return ExceptionKind::other;
    }
}

}  // namespace steer

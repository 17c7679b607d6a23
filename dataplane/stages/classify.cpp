#include "dataplane/stages/classify.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include <optional>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/frame_walk.h"
#include "dataplane/dns/wire.h"
#include "dataplane/stages/frame.h"
#include "dataplane/stages/header_pattern.h"

namespace steer {
namespace {

using dns::load_be16;

// A UDP datagram as it was found in a frame.
struct Datagram {
    std::uint8_t* l3;
    std::uint8_t* udp;
    std::uint16_t udp_length = 0;
    std::uint8_t l3_offset;
    bool is_v6;
    IpAddress source, destination;
    std::uint16_t source_port, destination_port;
    PendingChecksum checksum;  // set by check_datagram()
};

// In the form of OwnDevice::Vlan::tags.
[[gnu::cold, gnu::noinline]] std::uint32_t tags_of(const std::uint8_t* frame,
                                                   std::uint8_t l3_offset) {
    constexpr std::uint32_t kId = 0x0fff;
    const std::uint32_t outer = load_be16(frame + RTE_ETHER_HDR_LEN) & kId;
    const std::uint32_t inner =
        l3_offset > RTE_ETHER_HDR_LEN + 4 ? load_be16(frame + RTE_ETHER_HDR_LEN + 4) & kId : 0;
    return outer << 16 | inner;
}

// The destination is not the port's MAC address. No value: it is that of a VLAN child of the device.
[[gnu::cold, gnu::noinline]] std::optional<Verdict> judge_other_mac(const std::uint8_t* frame,
                                                                    std::uint8_t l3_offset,
                                                                    const OwnAddresses& ours) {
    if ((frame[0] & 1) != 0)
        return Verdict::punted;  // broadcast or multicast: neighbours, not queries
    if (l3_offset != RTE_ETHER_HDR_LEN && ours.is_childs_mac(frame, tags_of(frame, l3_offset)))
        return std::nullopt;
    return ours.kernel_wants_others() ? Verdict::punted : Verdict::drop_other_host;
}

// An impossible length counts as malformed only in a packet to us.
[[gnu::cold, gnu::noinline]] Verdict bad_length(const Datagram& d, const OwnAddresses* ours) {
    return ours == nullptr || ours->is_own(d.destination) ? Verdict::drop_bad_ip : Verdict::punted;
}

// Each returns no value if the packet may be ours and is well-formed so far.
[[gnu::always_inline]] inline std::optional<Verdict> read_ipv4(std::size_t left,
                                                               const OwnAddresses* ours,
                                                               Datagram& d) {
    if (left < kIpv4Size) return Verdict::drop_short_frame;
    const std::uint8_t* ip = d.l3;
    if ((ip[0] >> 4) != 4 || (ip[0] & 15) < 5) return Verdict::drop_bad_ip;
    const bool fragment = (load_be16(ip + 6) & 0x3fff) != 0;  // an offset, or more to come
    if (ip[9] != kUdpProtocol || (ip[0] & 15) > 5 || fragment) return Verdict::punted;
    const std::size_t total = load_be16(ip + 2);
    d.source = IpAddress::from_v4(ip + 12);
    d.destination = IpAddress::from_v4(ip + 16);
    d.udp = d.l3 + kIpv4Size;
    if (total > left || total < kIpv4Size + kUdpSize) return bad_length(d, ours);
    d.udp_length = static_cast<std::uint16_t>(total - kIpv4Size);
    return std::nullopt;
}

[[gnu::noinline]] std::optional<Verdict> read_ipv6(std::size_t left, const OwnAddresses* ours,
                                                   Datagram& d) {
    if (left < kIpv6Size) return Verdict::drop_short_frame;
    const std::uint8_t* ip = d.l3;
    if ((ip[0] >> 4) != 6) return Verdict::drop_bad_ip;
    if (ip[6] != kUdpProtocol) return Verdict::punted;
    const std::uint16_t payload = load_be16(ip + 4);
    d.source = IpAddress::from_v6(ip + 8);
    d.destination = IpAddress::from_v6(ip + 24);
    // A mapped address on the wire is not an IPv4 address and never ours (RFC 4291 2.5.5.2).
    if (d.destination.is_v4()) return Verdict::punted;
    d.udp = d.l3 + kIpv6Size;
    if (payload > left - kIpv6Size || payload < kUdpSize) return bad_length(d, ours);
    d.udp_length = payload;
    return std::nullopt;
}

// `ip`: a header without options.
[[gnu::always_inline]] inline bool ipv4_checksum_right(const rte_mbuf* m, const std::uint8_t* ip) {
    return (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD ||
           checksum_fold(checksum_add(0, ip, kIpv4Size)) == 0xffff;
}

// The check of a UDP checksum that was sent. `pseudo`: checksum_pseudo(). A sender on the same host
// may leave the rest of the sum to a device that the packet never passes. Some devices call such a
// packet good, too.
[[gnu::always_inline]] inline PendingChecksum pending_checksum(const rte_mbuf* m,
                                                               const std::uint8_t* udp,
                                                               std::uint16_t sent,
                                                               std::uint64_t pseudo,
                                                               bool may_be_partial) {
    const bool is_good = (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    const bool is_whole = sent != checksum_fold(pseudo);
    return {is_good || (may_be_partial && !is_whole), is_whole,
            pseudo + checksum_narrow(checksum_word(udp))};
}

std::uint16_t sent_checksum(const std::uint8_t* udp) {
    std::uint16_t sent;
    std::memcpy(&sent, udp + 6, sizeof sent);
    return sent;
}

// Prepares the check of UDP's checksum. False: a required checksum is missing.
bool begin_udp_checksum(const rte_mbuf* m, Datagram& d, bool may_be_partial) {
    const std::uint16_t sent = sent_checksum(d.udp);
    d.checksum = {};
    if (sent == 0) return !d.is_v6;  // none; IPv6 must have one (RFC 8200 8.1)
    const std::uint64_t pseudo = d.is_v6 ? checksum_pseudo(d.l3 + 8, 32, d.udp_length)
                                         : checksum_pseudo(d.l3 + 12, 8, d.udp_length);
    d.checksum = pending_checksum(m, d.udp, sent, pseudo, may_be_partial);
    return true;
}

bool message_right(const Datagram& d) {
    if (d.checksum.is_verified) return true;
    const std::uint64_t sum = checksum_add(0, d.udp + kUdpSize, d.udp_length - kUdpSize);
    return d.checksum.is_right_with(checksum_narrow(sum));
}

// No value: the source port is allowed.
[[gnu::cold, gnu::noinline]] std::optional<Verdict> judge_low_port(std::uint16_t port,
                                                                   const OwnAddresses& ours) {
    if (port == 0) return Verdict::drop_bad_source;
    if (ours.is_dropped_port(port)) return Verdict::drop_source_port;
    return std::nullopt;
}

// This net, loopback, multicast and reserved addresses. `first`: the address's first byte.
bool is_never_a_source(std::uint8_t first) {
    return first == 0 || first == 127 || first >= 224;
}

bool bad_source(const Datagram& d, const OwnAddresses& ours) {
    if (d.is_v6) {
        const std::uint64_t high = d.source.high(), low = d.source.low();
        if (d.source.is_v4() || high >> 56 == 0xff) return true;  // mapped; multicast
        if (high == 0 && low <= 1) return true;                   // :: and ::1
    } else if (is_never_a_source(static_cast<std::uint8_t>(d.source.low() >> 24))) {
        return true;
    }
    return ours.is_bad_source(d.source);
}

// The whole frame must be in one segment.
bool make_contiguous(rte_mbuf* m) {
    return m->nb_segs == 1 || rte_pktmbuf_linearize(m) == 0;
}

[[gnu::always_inline]] inline void read_ports(Datagram& d) {
    d.source_port = load_be16(d.udp);
    d.destination_port = load_be16(d.udp + 2);
}

// Finds the datagram in a frame. No value: it is complete UDP, to be checked further.
[[gnu::always_inline]] inline std::optional<Verdict> read_datagram(rte_mbuf* m,
                                                                   const OwnAddresses* ours,
                                                                   Datagram& d) {
    std::uint8_t* const frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    const std::size_t length = m->data_len;
    const auto type = dns::skip_link_layer(frame, length, d.l3_offset);
    if (!type) return Verdict::drop_short_frame;
    if (ours != nullptr && !ours->is_own_mac(frame)) {
        if (const auto end = judge_other_mac(frame, d.l3_offset, *ours)) return end;
    }
    d.l3 = frame + d.l3_offset;
    d.is_v6 = *type == dns::kEtherIpv6;
    if (!d.is_v6 && *type != dns::kEtherIpv4) return Verdict::punted;
    const std::size_t left = length - d.l3_offset;
    if (const auto end = d.is_v6 ? read_ipv6(left, ours, d) : read_ipv4(left, ours, d)) return end;
    read_ports(d);
    return std::nullopt;
}

// Checks the lengths and IP's checksum of a datagram to us, and prepares UDP's checksum.
std::optional<Verdict> check_datagram(const rte_mbuf* m, Datagram& d, bool may_be_partial) {
    const std::uint16_t udp_length = load_be16(d.udp + 4);
    if (udp_length < kUdpSize || udp_length > d.udp_length) return Verdict::drop_short_frame;
    d.udp_length = udp_length;  // the rest of the IP packet is padding
    if ((!d.is_v6 && !ipv4_checksum_right(m, d.l3)) || !begin_udp_checksum(m, d, may_be_partial))
        return Verdict::drop_bad_checksum;
    return std::nullopt;
}

// Adds the query in this UDP datagram of `length` bytes. The addresses are written by the caller.
[[gnu::always_inline]] inline Packet& add_packet(rte_mbuf* m, std::uint8_t* udp,
                                                 std::uint16_t length, std::uint8_t port_index,
                                                 Burst& burst) {
    Packet& p = burst.next_packet();
    p.mbuf = m;
    p.injected = nullptr;
    p.dns = udp + kUdpSize;
    p.dns_length = static_cast<std::uint16_t>(length - kUdpSize);
    const auto* end = static_cast<const std::uint8_t*>(m->buf_addr) + m->buf_len;
    p.dns_room = static_cast<std::uint16_t>(end - p.dns);
    p.max_size = std::min(kMaxUdpAnswer, p.dns_room);
    p.port = port_index;
    p.begin_without_cookie();
    p.client.transport = ClientTransport::udp;
    p.client.entry = 0;
    p.found = nullptr;
    // The headers of the frame precede a short message.
    static_assert(dns::kCookieOptionSize <= RTE_ETHER_HDR_LEN + kIpv4Size + kUdpSize);
    if (dns::may_end_with_cookie(p.dns + p.dns_length)) [[unlikely]]
        burst.cookie_ends |= 1U << burst.live_count;
    burst.keep_packet();
    return p;
}

[[gnu::always_inline]] inline void add_query(rte_mbuf* m, const Datagram& d,
                                             std::uint8_t port_index, Burst& burst) {
    Packet& p = add_packet(m, d.udp, d.udp_length, port_index, burst);
    p.l3_offset = d.l3_offset;
    p.is_v6 = d.is_v6;
    p.client.port = d.source_port;
    p.destination_port = d.destination_port;
    p.checksum = d.checksum;
    p.client.address = d.source;
    p.destination = d.destination;
}

UpstreamFrame upstream_frame(rte_mbuf* m, const Datagram& d) {
    return {m,
            d.source,
            d.source_port,
            d.destination_port,
            {d.udp + kUdpSize, static_cast<std::size_t>(d.udp_length - kUdpSize)}};
}

// Adds a query whose headers match the pattern of an earlier one, if nothing about it is unusual.
// False: classify_one() judges it from the start. So this function never drops.
[[gnu::always_inline]] inline bool add_known(rte_mbuf* m, const Port& port, std::uint8_t port_index,
                                             const OwnAddresses& ours, const HeaderPattern& pattern,
                                             Burst& burst) {
    std::uint8_t* const frame = rte_pktmbuf_mtod(m, std::uint8_t*);
    const std::size_t length = m->data_len;
    if (m->nb_segs != 1 || length < HeaderPattern::kSize || !pattern.matches(frame)) return false;
    std::uint8_t* const ip = frame + RTE_ETHER_HDR_LEN;
    std::uint8_t* const udp = ip + kIpv4Size;
    const std::size_t total = load_be16(ip + 2);
    const std::uint16_t udp_length = load_be16(udp + 4);
    const std::uint16_t source_port = load_be16(udp);
    const std::uint16_t sent = sent_checksum(udp);
    if (total + RTE_ETHER_HDR_LEN > length || udp_length < kUdpSize ||
        udp_length + kIpv4Size > total || sent == 0 || ours.may_be_dropped_port(source_port) ||
        is_never_a_source(ip[12]) || !ipv4_checksum_right(m, ip)) [[unlikely]]
        return false;
    const IpAddress source = IpAddress::from_v4(ip + 12);
    if (ours.is_bad_source(source)) [[unlikely]]
        return false;
    Packet& p = add_packet(m, udp, udp_length, port_index, burst);
    p.l3_offset = RTE_ETHER_HDR_LEN;
    p.is_v6 = false;
    p.client.port = source_port;
    p.client.address =
        IpAddress::from_v4(ip + 12);  // not a copy, whose load would wait for two stores
    p.destination = pattern.destination();
    p.destination_port = pattern.destination_port();
    p.checksum = pending_checksum(m, udp, sent, checksum_pseudo(ip + 12, 8, udp_length),
                                  port.partial_checksums());
    return true;
}

// Checks all headers of a frame. No value: a query to us, or (`is_reply`) an upstream's reply.
[[gnu::always_inline]] inline std::optional<Verdict> judge(rte_mbuf* m, OwnAddresses& ours,
                                                           PortRange upstream_ports,
                                                           HeaderPattern& pattern, Datagram& d,
                                                           bool& is_reply) {
    if (const auto end = read_datagram(m, &ours, d)) return end;
    const bool is_query = ours.is_service(d.destination, d.destination_port);
    is_reply =
        !is_query && upstream_ports.contains(d.destination_port) && ours.is_own(d.destination);
    if (!is_query && !is_reply) return Verdict::punted;
    const std::uint8_t* const frame = rte_pktmbuf_mtod(m, const std::uint8_t*);
    // An answer would go to a group (IEEE 802.3: the I/G bit of a source is 0).
    if ((frame[RTE_ETHER_ADDR_LEN] & RTE_ETHER_GROUP_ADDR) != 0) return Verdict::drop_bad_mac;
    if (d.l3_offset != RTE_ETHER_HDR_LEN) {
        if (!ours.is_vlan(tags_of(frame, d.l3_offset))) return Verdict::punted;
    } else if (is_query && !d.is_v6) {
        pattern.learn(frame);
    }
    return std::nullopt;
}

// No value: the packet was added to the burst's queries or replies.
[[gnu::noinline]] std::optional<Verdict> classify_one(rte_mbuf* m, const Port& port,
                                                      std::uint8_t port_index, OwnAddresses& ours,
                                                      PortRange upstream_ports,
                                                      HeaderPattern& pattern, Burst& burst) {
    if (!make_contiguous(m)) return Verdict::drop_segmented;
    Datagram d;
    bool is_reply = false;
    if (const auto end = judge(m, ours, upstream_ports, pattern, d, is_reply)) return end;
    if (const auto end = check_datagram(m, d, port.partial_checksums())) return end;
    if (is_reply) {
        if (!message_right(d)) return Verdict::drop_bad_checksum;
        burst.replies[burst.reply_count++] = upstream_frame(m, d);
        return std::nullopt;
    }
    if (ours.may_be_dropped_port(d.source_port)) [[unlikely]] {
        if (const auto end = judge_low_port(d.source_port, ours)) return end;
    }
    if (bad_source(d, ours)) return Verdict::drop_bad_source;
    add_query(m, d, port_index, burst);
    return std::nullopt;
}

}  // namespace

void classify(std::span<rte_mbuf* const> received, const Port& port, std::uint8_t port_index,
              OwnAddresses& ours, PortRange upstream_ports, Burst& burst) noexcept {
    for (rte_mbuf* m : received)
        rte_prefetch0(rte_pktmbuf_mtod(m, const void*));
    ours.come_by(port.if_index());
    HeaderPattern pattern;  // per burst: the port's address can change between bursts
    for (rte_mbuf* m : received) {
        if (add_known(m, port, port_index, ours, pattern, burst)) [[likely]]
            continue;
        if (const auto end =
                classify_one(m, port, port_index, ours, upstream_ports, pattern, burst)) {
            burst.ended[burst.ended_count++] = {m, *end};
        }
    }
}

Message moved_query(const Packet& p) noexcept {
    return {.kind = MessageKind::query_frame,
            .b = std::uint32_t{p.dns_length} << 16 | std::uint32_t{p.l3_offset} << 8 |
                 (p.checksum.is_whole ? 4U : 0U) | (p.checksum.is_verified ? 2U : 0U) |
                 (p.is_v6 ? 1U : 0U),
            .token = p.checksum.others,
            .pointer = p.mbuf};
}

void add_moved_query(const Message& message, std::uint8_t lane, Burst& burst) noexcept {
    auto* const m = static_cast<rte_mbuf*>(message.pointer);
    Datagram d;
    d.l3_offset = static_cast<std::uint8_t>(message.b >> 8);
    d.is_v6 = (message.b & 1) != 0;
    d.l3 = rte_pktmbuf_mtod_offset(m, std::uint8_t*, d.l3_offset);
    d.udp = d.l3 + (d.is_v6 ? kIpv6Size : kIpv4Size);
    d.udp_length = static_cast<std::uint16_t>((message.b >> 16) + kUdpSize);
    d.source = d.is_v6 ? IpAddress::from_v6(d.l3 + 8) : IpAddress::from_v4(d.l3 + 12);
    d.destination = d.is_v6 ? IpAddress::from_v6(d.l3 + 24) : IpAddress::from_v4(d.l3 + 16);
    read_ports(d);
    d.checksum = {(message.b & 2) != 0, (message.b & 4) != 0, message.token};
    add_query(m, d, lane, burst);
}

UpstreamFrame reread_upstream_frame(rte_mbuf* mbuf) noexcept {
    Datagram d;
    if (read_datagram(mbuf, nullptr, d)) return {mbuf, {}, 0, 0, {}};
    d.udp_length = std::min(d.udp_length, load_be16(d.udp + 4));
    return upstream_frame(mbuf, d);
}

}  // namespace steer

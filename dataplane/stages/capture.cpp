#include "dataplane/stages/capture.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <optional>

#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

using FrameBytes = std::span<const std::uint8_t>;

constexpr std::uint16_t kFrameIpv4 = 0x0800, kFrameIpv6 = 0x86dd, kFrameVlan = 0x8100,
                        kFrameServiceVlan = 0x88a8;
constexpr std::uint8_t kOfTcp = 6, kOfUdp = 17;
constexpr std::size_t kTwoMacs = 12, kUdpHead = 8, kIpv6Head = 40, kIpv4Head = 20;
// Of a frame in several segments: MAC addresses, tags, IP with extension headers, UDP, and a question.
constexpr std::size_t kLookedAt = 512;

// What a frame has of all that a filter may ask for.
struct SeenFrame {
    IpAddress source{}, destination{};
    std::uint16_t source_port = 0, destination_port = 0;
    FrameBytes dns{};  // payload of UDP
};

void read_transport(std::uint8_t protocol, FrameBytes bytes, SeenFrame& out) noexcept {
    if ((protocol != kOfUdp && protocol != kOfTcp) || bytes.size() < kUdpHead) return;
    out.source_port = dns::load_be16(bytes.data());
    out.destination_port = dns::load_be16(bytes.data() + 2);
    const std::size_t length = dns::load_be16(bytes.data() + 4);
    if (protocol == kOfUdp && length >= kUdpHead)
        out.dns = bytes.subspan(kUdpHead, std::min(length, bytes.size()) - kUdpHead);
}

void read_ipv4(FrameBytes ip, SeenFrame& out) noexcept {
    constexpr std::uint16_t kFragment = 0x1fff;
    out.source = IpAddress::from_v4(&ip[12]);
    out.destination = IpAddress::from_v4(&ip[16]);
    const std::size_t header = (ip[0] & 15U) * 4U;
    const std::size_t end = std::min<std::size_t>(dns::load_be16(&ip[2]), ip.size());
    if (header < kIpv4Head || end < header || (dns::load_be16(&ip[6]) & kFragment) != 0) return;
    read_transport(ip[9], ip.subspan(header, end - header), out);
}

// Also behind extension headers (RFC 8200 4).
void read_ipv6(FrameBytes ip, SeenFrame& out) noexcept {
    constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kOptions = 60;
    constexpr unsigned kMostHeaders = 8;
    out.source = IpAddress::from_v6(&ip[8]);
    out.destination = IpAddress::from_v6(&ip[24]);
    std::uint8_t next = ip[6];
    FrameBytes left = ip.subspan(kIpv6Head);
    left = left.first(std::min<std::size_t>(dns::load_be16(&ip[4]), left.size()));
    for (unsigned i = 0; i < kMostHeaders; ++i) {
        if (next != kHopByHop && next != kRouting && next != kFragment && next != kOptions) break;
        if (left.size() < 8) return;
        if (next == kFragment && dns::load_be16(&left[2]) >> 3U != 0) return;
        const std::size_t size = next == kFragment ? 8 : (left[1] + 1U) * 8U;
        if (left.size() < size) return;
        next = left[0];
        left = left.subspan(size);
    }
    read_transport(next, left, out);
}

std::optional<SeenFrame> read_frame(FrameBytes frame) noexcept {
    std::size_t at = kTwoMacs;
    std::uint16_t type = 0;
    for (unsigned tags = 0;; ++tags) {
        if (frame.size() < at + 2) return std::nullopt;
        type = dns::load_be16(&frame[at]);
        at += 2;
        if ((type != kFrameVlan && type != kFrameServiceVlan) || tags == 2) break;
        at += 2;
    }
    const FrameBytes ip = frame.subspan(at);
    SeenFrame out;
    if (type == kFrameIpv4 && ip.size() >= kIpv4Head) {
        read_ipv4(ip, out);
    } else if (type == kFrameIpv6 && ip.size() >= kIpv6Head) {
        read_ipv6(ip, out);
    } else {
        return std::nullopt;
    }
    return out;
}

}  // namespace

bool CaptureFilter::has_name(FrameBytes dns) const noexcept {
    if (dns.size() <= dns::kHeaderSize || dns::load_be16(&dns[4]) == 0) return false;
    const FrameBytes question = dns.subspan(dns::kHeaderSize);
    const std::size_t length = dns::plain_name_length(question);
    if (length < name_len) return false;
    std::array<std::uint8_t, 256> lower;
    dns::lower_case(question.data(), lower.data(), length);
    std::size_t at = 0;
    while (length - at > name_len)
        at += lower[at] + 1U;
    return length - at == name_len && std::equal(name.begin(), name.begin() + name_len, &lower[at]);
}

bool CaptureFilter::selects(const IpAddress& a, const IpAddress& b, std::uint16_t a_port,
                            std::uint16_t b_port, FrameBytes dns) const noexcept {
    if (!hosts.empty() && !hosts.contains(a) && !hosts.contains(b)) return false;
    if (transport_port != 0 && a_port != transport_port && b_port != transport_port) return false;
    return name_len == 0 || has_name(dns);
}

bool CaptureFilter::selects(FrameBytes frame) const noexcept {
    if (hosts.empty() && transport_port == 0 && name_len == 0) return true;
    const auto seen = read_frame(frame);
    return seen && selects(seen->source, seen->destination, seen->source_port,
                           seen->destination_port, seen->dns);
}

[[gnu::cold, gnu::noinline]] void Capture::look_at(std::span<rte_mbuf* const> frames,
                                                   const Port& port, unsigned index,
                                                   bool is_sent) noexcept {
    if (!filter_->port.empty() && filter_->port != port.name()) return;
    for (const rte_mbuf* const m : frames) {
        std::array<std::uint8_t, kLookedAt> flat;
        const std::uint32_t n =
            m->nb_segs == 1 ? m->data_len : std::min<std::uint32_t>(m->pkt_len, kLookedAt);
        const void* const begin = rte_pktmbuf_read(m, 0, n, flat.data());
        if (begin != nullptr && filter_->selects({static_cast<const std::uint8_t*>(begin), n}))
            copy(*m, index, is_sent);
    }
}

void Capture::copy(const rte_mbuf& frame, unsigned index, bool is_sent) noexcept {
    const std::uint32_t kept =
        std::min({frame.pkt_len, filter_->most_bytes, CapturedFrame::kMostBytes});
    const unsigned cells = CellRing::cells_for(sizeof(CapturedFrame) + kept);
    auto* const place = static_cast<std::uint8_t*>(ring_->reserve(cells));
    if (place == nullptr) return counters_.add(Stat::capture_lost);
    counters_.add(Stat::capture_frames);
    const CapturedFrame head{.cells = static_cast<std::uint16_t>(cells),
                             .kept = static_cast<std::uint16_t>(kept),
                             .length = frame.pkt_len,
                             .at_ns = now_.micros() * 1000,
                             .worker = worker_,
                             .port = static_cast<std::uint8_t>(index),
                             .is_sent = is_sent ? std::uint8_t{1} : std::uint8_t{0},
                             .unused = {}};
    std::memcpy(place, &head, sizeof head);
    std::uint8_t* to = place + sizeof head;
    std::uint32_t left = kept;
    for (const rte_mbuf* m = &frame; m != nullptr && left > 0; m = m->next) {
        const std::uint32_t n = std::min<std::uint32_t>(left, m->data_len);
        std::memcpy(to, rte_pktmbuf_mtod(m, const std::uint8_t*), n);
        to += n;
        left -= n;
    }
}

}  // namespace steer

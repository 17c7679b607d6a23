#include "dataplane/stages/capture.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <optional>

#include "dataplane/dns/frame_walk.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

using FrameBytes = std::span<const std::uint8_t>;

constexpr std::size_t kUdpHead = 8;
// Of a frame in several segments: MAC addresses, tags, IP with extension headers, UDP, and a question.
constexpr std::size_t kInspected = 512;

// What a frame has of all that a filter may ask for.
struct SeenFrame {
    IpAddress source{}, destination{};
    std::uint16_t source_port = 0, destination_port = 0;
    FrameBytes dns{};  // payload of UDP
};

void read_transport(const dns::IpPayload& payload, SeenFrame& out) noexcept {
    const FrameBytes bytes = payload.bytes;
    if (payload.is_cut || payload.piece == dns::IpPayload::Piece::later) return;
    if (payload.protocol != dns::kIpUdp && payload.protocol != dns::kIpTcp) return;
    if (bytes.size() < kUdpHead) return;
    out.source_port = dns::load_be16(bytes.data());
    out.destination_port = dns::load_be16(bytes.data() + 2);
    const std::size_t length = dns::load_be16(bytes.data() + 4);
    if (payload.protocol == dns::kIpUdp && length >= kUdpHead)
        out.dns = bytes.subspan(kUdpHead, std::min(length, bytes.size()) - kUdpHead);
}

std::optional<SeenFrame> read_frame(FrameBytes frame) noexcept {
    std::uint8_t at = 0;
    const auto type = dns::skip_link_layer(frame.data(), frame.size(), at);
    if (!type) return std::nullopt;
    const FrameBytes ip = frame.subspan(at);
    SeenFrame out;
    if (*type == dns::kEtherIpv4 && ip.size() >= dns::kIpv4Least) {
        out.source = IpAddress::from_v4(&ip[12]);
        out.destination = IpAddress::from_v4(&ip[16]);
        read_transport(dns::walk_ipv4(ip), out);
    } else if (*type == dns::kEtherIpv6 && ip.size() >= dns::kIpv6Least) {
        out.source = IpAddress::from_v6(&ip[8]);
        out.destination = IpAddress::from_v6(&ip[24]);
        read_transport(dns::walk_ipv6(ip), out);
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

[[gnu::cold, gnu::noinline]] void Capture::inspect(std::span<rte_mbuf* const> frames,
                                                   const Port& port, unsigned index,
                                                   bool is_sent) noexcept {
    if (!filter_->port.empty() && filter_->port != port.name()) return;
    for (const rte_mbuf* const m : frames) {
        std::array<std::uint8_t, kInspected> flat;
        const std::uint32_t n =
            m->nb_segs == 1 ? m->data_len : std::min<std::uint32_t>(m->pkt_len, kInspected);
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

#include "dataplane/stages/upstream_sender.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/dns/wire.h"
#include "dataplane/stages/frame.h"

namespace steer {

bool UpstreamSender::send(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                          std::span<const std::uint8_t> dns) noexcept {
    const int port = find_port(hop.if_index);
    if (port >= 0) {
        return by_port(static_cast<unsigned>(port), hop, source_port, {to.address, to.port}, dns);
    }
    const auto& owners = parts_.owners;
    const auto owner = std::find_if(owners.begin(), owners.end(), [&](const Shared::PortOwner& o) {
        return o.if_index == hop.if_index;
    });
    return owner != owners.end() && by_worker(owner->worker, source_port, to, dns);
}

// Index in this worker's ports; -1: it has no port on that interface.
int UpstreamSender::find_port(int if_index) const noexcept {
    for (std::size_t i = 0; i < parts_.ports.size(); ++i) {
        if (parts_.ports[i]->if_index() == if_index) return static_cast<int>(i);
    }
    return -1;
}

bool UpstreamSender::by_port(unsigned port, const NextHop& hop, std::uint16_t source_port,
                             const Endpoint& to, std::span<const std::uint8_t> dns) noexcept {
    std::array<std::uint8_t, 4> tag{};
    dns::store_be16(tag.data(), 0x8100);
    dns::store_be16(tag.data() + 2, hop.vlan_tci);
    const FrameHeaders headers{.to_mac = hop.peer_mac,
                               .from_mac = hop.own_mac,
                               .tags = {tag.data(), hop.tagged ? tag.size() : 0},
                               .to = to.address,
                               .from = hop.source,
                               .to_port = to.port,
                               .from_port = source_port};
    rte_mbuf* const m = rte_pktmbuf_alloc(parts_.ports[port]->pool());
    if (m == nullptr) return false;
    const std::size_t length = headers.size() + dns.size();
    if (rte_pktmbuf_tailroom(m) < length) {
        rte_pktmbuf_free(m);
        return false;
    }
    std::uint8_t* const message = rte_pktmbuf_mtod(m, std::uint8_t*) + headers.size();
    std::copy(dns.begin(), dns.end(), message);
    write_headers(message, static_cast<std::uint16_t>(dns.size()), headers);
    m->data_len = static_cast<std::uint16_t>(length);
    m->pkt_len = m->data_len;
    parts_.transmit.put_upstream_query(port, m);
    return true;
}

bool UpstreamSender::by_worker(unsigned worker, std::uint16_t source_port, const Upstream& to,
                               std::span<const std::uint8_t> dns) noexcept {
    Ring<Message>* const ring = parts_.rings.to_worker[worker];
    if (ring == nullptr) return false;
    Buffer* const query =
        parts_.buffers.take(static_cast<std::uint32_t>(sizeof(UpstreamQuery) + dns.size()));
    if (query == nullptr) return false;
    const UpstreamQuery header{.address = to.address,
                               .port = to.port,
                               .length = static_cast<std::uint16_t>(dns.size()),
                               .timeout_ms = 0};
    std::memcpy(query->data(), &header, sizeof header);
    std::memcpy(query->data() + sizeof header, dns.data(), dns.size());
    query->length = static_cast<std::uint32_t>(sizeof header + dns.size());
    const Message m{.kind = MessageKind::send_upstream,
                    .from = worker_,
                    .a = to.id,
                    .b = source_port,
                    .buffer = query};
    if (ring->push(m)) return true;
    release(query);
    return false;
}

void UpstreamSender::send_for_other(const Message& m, const NextHopTable* next_hops) noexcept {
    UpstreamQuery query;
    std::memcpy(&query, m.buffer->data(), sizeof query);
    bool sent = false;
    if (next_hops != nullptr && m.a < next_hops->by_upstream.size()) {
        const NextHop& hop = next_hops->by_upstream[m.a];
        const int port = hop.via == NextHop::Via::port ? find_port(hop.if_index) : -1;
        const std::span<const std::uint8_t> dns{m.buffer->data() + sizeof query, query.length};
        // Sent or not, the asking forwarder has a timer for it.
        sent =
            port >= 0 && by_port(static_cast<unsigned>(port), hop, static_cast<std::uint16_t>(m.b),
                                 {query.address, query.port}, dns);
    }
    if (!sent) parts_.counters.add(Stat::upstream_tx_full);
    release(m.buffer);
}

bool UpstreamSender::by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                               Buffer* query) noexcept {
    if (parts_.streams == 0) return false;
    const Message m{.kind = MessageKind::upstream_query,
                    .from = worker_,
                    .a = to.id,
                    .b = static_cast<std::uint32_t>(via),
                    .token = token,
                    .buffer = query};
    return parts_.rings.to_stream[worker_ % parts_.streams]->push(m);
}

}  // namespace steer

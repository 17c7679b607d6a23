#include "dataplane/upstream_sender.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <array>

#include "dataplane/dns/wire.h"
#include "dataplane/frame.h"

namespace steer {

bool UpstreamSender::by_port(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                             std::span<const std::uint8_t> dns) noexcept {
    const auto port = std::find_if(ports_.begin(), ports_.end(),
                                   [&](const Port* p) { return p->if_index() == hop.if_index; });
    if (port == ports_.end()) return false;
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
    rte_mbuf* const m = rte_pktmbuf_alloc((*port)->pool());
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
    transmit_.put_upstream_query(static_cast<unsigned>(port - ports_.begin()), m);
    return true;
}

bool UpstreamSender::by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                               Buffer* query) noexcept {
    if (streams_ == 0) return false;
    const Message m{.kind = MessageKind::upstream_query,
                    .from = worker_,
                    .a = to.id,
                    .b = static_cast<std::uint32_t>(via),
                    .token = token,
                    .buffer = query};
    return rings_.to_stream[worker_ % streams_]->push(m);
}

}  // namespace steer

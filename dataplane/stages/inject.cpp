#include "dataplane/stages/inject.h"

#include <algorithm>

#include "dataplane/base/buffer.h"

namespace steer {

void add_injected(const Message& m, Burst& burst, const NextHopTable* hops,
                  Replier& replier) noexcept {
    Buffer& buffer = *m.buffer;
    const auto& query = *reinterpret_cast<const InjectedQuery*>(buffer.data());
    Packet& p = burst.next_packet();
    p.mbuf = nullptr;
    p.injected = &buffer;
    p.dns = buffer.data() + sizeof(InjectedQuery);
    p.client = {.address = query.client, .port = query.client_port, .transport = query.transport};
    p.max_size = std::max(query.max_size, dns::kClassicUdpSize);
    p.destination = query.local;
    p.destination_port = query.local_port;
    p.stream = query.stream;
    p.stream_token = m.token;
    p.found = nullptr;
    p.begin_without_cookie();
    const std::size_t texts = std::size_t{query.server_name_length} + query.url_path_length;
    const bool fits = query.length <= dns::kMaxMessage &&
                      sizeof(InjectedQuery) + query.length + texts <= buffer.length;
    const auto drop = [&](Verdict v) {
        p.dns_length = 0;
        p.clear_query();
        replier.drop(p, v);
    };
    if (!fits) return drop(Verdict::drop_short_header);
    if (hops != nullptr && p.client.is_udp() &&
        std::ranges::binary_search(hops->dropped_ports, query.client_port)) [[unlikely]]
        return drop(Verdict::drop_source_port);
    p.dns_length = static_cast<std::uint16_t>(query.length);
    p.dns_room = p.dns_length;
    if (p.client.is_udp() && dns::cookie_at_end({p.dns, p.dns_length}) != 0)
        burst.cookie_ends |= 1U << burst.live_count;
    if (query.trace_id != 0) burst.traced |= 1U << burst.live_count;
    burst.keep_packet();
}

}  // namespace steer

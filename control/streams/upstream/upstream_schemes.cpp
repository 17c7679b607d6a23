#include "control/streams/upstream/upstream_schemes.h"

#include <array>
#include <cstddef>
#include <utility>

#include "control/streams/upstream/quic_transport.h"
#include "control/streams/upstream/stream_transport.h"
#include "control/streams/upstream/upstream_datagrams.h"
#include "control/streams/upstream/upstream_fallback.h"
#include "control/streams/upstream/upstream_pool.h"

namespace steer::stream {
namespace {

using MakeChannel = std::shared_ptr<UpstreamChannel> (*)(const ChannelGround&,
                                                         const UpstreamEntry&);
using MakeTransport = std::unique_ptr<UpstreamTransport> (*)(const ChannelGround&,
                                                             std::shared_ptr<const UpstreamTarget>);

std::shared_ptr<UpstreamChannel> datagrams(const ChannelGround& ground,
                                           const UpstreamEntry& entry) {
    if (entry.target->proxy)
        return std::make_shared<UpstreamProxied>(ground.context, entry.target, entry.state);
    return std::make_shared<UpstreamDatagrams>(ground.context, ground.udp, ground.tcp, entry.target,
                                               entry.state);
}

std::unique_ptr<UpstreamTransport> transport_of(
    const ChannelGround& ground, const std::shared_ptr<const UpstreamTarget>& target);

std::shared_ptr<UpstreamChannel> pool(const ChannelGround& ground, const UpstreamEntry& entry) {
    auto transport = transport_of(ground, entry.target);
    if (!entry.target->fallback)
        return std::make_shared<UpstreamPool>(ground.context, entry.target, entry.state,
                                              std::move(transport));
    const auto other = fallback_of(*entry.target);
    return std::make_shared<UpstreamFallback>(ground.context, entry.target, other, entry.state,
                                              std::move(transport), transport_of(ground, other));
}

template <auto Make>
std::unique_ptr<UpstreamTransport> over_tcp(const ChannelGround& ground,
                                            std::shared_ptr<const UpstreamTarget> target) {
    return Make(ground.context, std::move(target));
}

std::unique_ptr<UpstreamTransport> over_quic(const ChannelGround& ground,
                                             std::shared_ptr<const UpstreamTarget> target) {
    return make_quic_transport(ground.quic, std::move(target));
}

struct Row {
    UpstreamScheme scheme;
    MakeChannel make;
    MakeTransport transport;  // nullptr: of datagrams
};
constexpr std::array kRows{
    Row{UpstreamScheme::udp, datagrams, nullptr},
    Row{UpstreamScheme::tcp, pool, over_tcp<make_tcp_transport>},
    Row{UpstreamScheme::tls, pool, over_tcp<make_tls_transport>},
    Row{UpstreamScheme::https, pool, over_tcp<make_https_transport>},
    Row{UpstreamScheme::quic, pool, over_quic},
    Row{UpstreamScheme::h3, pool, over_quic},
};
constexpr const Row& row_of(UpstreamScheme scheme) {
    return kRows[static_cast<std::size_t>(scheme)];
}

std::unique_ptr<UpstreamTransport> transport_of(
    const ChannelGround& ground, const std::shared_ptr<const UpstreamTarget>& target) {
    return row_of(target->scheme).transport(ground, target);
}

constexpr bool is_complete() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].scheme) != i) return false;
    }
    return kRows.size() == static_cast<std::size_t>(UpstreamScheme::count_);
}
static_assert(is_complete());

}  // namespace

std::shared_ptr<UpstreamChannel> make_channel(const ChannelGround& ground,
                                              const UpstreamEntry& entry) {
    return row_of(entry.target->scheme).make(ground, entry);
}

}  // namespace steer::stream

#include "control/streams/upstream/upstream_schemes.h"

#include <array>
#include <cstddef>

#include "control/streams/upstream/stream_transport.h"
#include "control/streams/upstream/upstream_datagrams.h"
#include "control/streams/upstream/upstream_pool.h"

namespace steer::stream {
namespace {

using MakeChannel = std::shared_ptr<UpstreamChannel> (*)(const ChannelGround&,
                                                         const UpstreamEntry&);

std::shared_ptr<UpstreamChannel> datagrams(const ChannelGround& ground,
                                           const UpstreamEntry& entry) {
    if (entry.target->proxy)
        return std::make_shared<UpstreamProxied>(ground.context, entry.target, entry.state);
    return std::make_shared<UpstreamDatagrams>(ground.context, ground.udp, ground.tcp, entry.target,
                                               entry.state);
}

template <auto MakeTransport>
std::shared_ptr<UpstreamChannel> pool(const ChannelGround& ground, const UpstreamEntry& entry) {
    return std::make_shared<UpstreamPool>(ground.context, entry.target, entry.state,
                                          MakeTransport(ground.context, entry.target));
}

struct Row {
    UpstreamScheme scheme;
    MakeChannel make;
};
constexpr std::array kRows{
    Row{UpstreamScheme::udp, datagrams},
    Row{UpstreamScheme::tcp, pool<make_tcp_transport>},
    Row{UpstreamScheme::tls, pool<make_tls_transport>},
    Row{UpstreamScheme::https, pool<make_https_transport>},
};

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
    return kRows[static_cast<std::size_t>(entry.target->scheme)].make(ground, entry);
}

}  // namespace steer::stream

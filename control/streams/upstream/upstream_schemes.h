// The table of URL schemes and their channels. A new transport needs a value of UpstreamScheme and
// a row here.
#pragma once

#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/quic_upstreams.h"
#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_pool.h"
#include "control/streams/upstream/upstream_state.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_tcp.h"
#include "control/streams/upstream/upstream_udp.h"

namespace steer::stream {

struct UpstreamEntry {
    std::shared_ptr<const UpstreamTarget> target;
    std::shared_ptr<UpstreamState> state;  // shared by all threads
};

// The environment of one thread's channels; it must outlive them.
struct ChannelGround {
    StreamContext& context;
    UpstreamUdp& udp;
    UpstreamTcp& tcp;
    QuicUpstreams& quic;
};

std::shared_ptr<UpstreamChannel> make_channel(const ChannelGround& ground,
                                              const UpstreamEntry& entry);

// One upstream over UDP that is queried only through a SOCKS5 proxy. It uses the proxy's relay for
// datagrams if there is one (relayed_session.h), else TCP. Queries with truncated replies are
// repeated over TCP, also through the proxy. One thread.
class UpstreamProxied final : public UpstreamChannel {
  public:
    UpstreamProxied(StreamContext& context, const std::shared_ptr<const UpstreamTarget>& target,
                    const std::shared_ptr<UpstreamState>& state);

    void ask(UpstreamAsk ask, bool over_tcp) override;
    void tick() override;
    [[nodiscard]] bool is_busy() const override { return relayed_->is_busy() || tcp_->is_busy(); }
    void network_changed() override;
    void close() override;

  private:
    const std::shared_ptr<UpstreamPool> relayed_, tcp_;
};

}  // namespace steer::stream

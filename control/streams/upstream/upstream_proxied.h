// One upstream over UDP that is asked through a SOCKS5 proxy, never past it: by the proxy's relay for datagrams where it
// has one (relayed_session.h), else over TCP. Truncated replies are asked for over TCP, through the proxy as well. One
// thread.
#pragma once

#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_pool.h"

namespace steer::stream {

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

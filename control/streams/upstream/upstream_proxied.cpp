#include "control/streams/upstream/upstream_schemes.h"

#include <utility>

#include "control/streams/upstream/stream_transport.h"

namespace steer::stream {
namespace {

// Connections for truncated replies are opened when there is one.
std::shared_ptr<const UpstreamTarget> on_demand(const UpstreamTarget& target) {
    auto out = std::make_shared<UpstreamTarget>(target);
    out->min_conns = 0;
    return out;
}

}  // namespace

UpstreamProxied::UpstreamProxied(StreamContext& context,
                                 const std::shared_ptr<const UpstreamTarget>& target,
                                 const std::shared_ptr<UpstreamState>& state)
    : relayed_(std::make_shared<UpstreamPool>(context, target, state,
                                              make_relayed_transport(context, target))),
      tcp_(std::make_shared<UpstreamPool>(context, on_demand(*target), state,
                                          make_tcp_transport(context, target))) {}

void UpstreamProxied::ask(UpstreamAsk ask, bool over_tcp) {
    (over_tcp ? tcp_ : relayed_)->ask(std::move(ask), over_tcp);
}

void UpstreamProxied::tick() {
    relayed_->tick();
    tcp_->tick();
}

void UpstreamProxied::network_changed() {
    relayed_->network_changed();
    tcp_->network_changed();
}

void UpstreamProxied::close() {
    relayed_->close();
    tcp_->close();
}

}  // namespace steer::stream

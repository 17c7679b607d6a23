// The table of URL schemes: for each scheme its channel. A new transport is a value of
// UpstreamScheme and a row here.
#pragma once

#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_state.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_tcp.h"
#include "control/streams/upstream/upstream_udp.h"

namespace steer::stream {

struct UpstreamEntry {
    std::shared_ptr<const UpstreamTarget> target;
    std::shared_ptr<UpstreamState> state;  // shared by all threads
};

// The environment of one thread's channels; outlives them.
struct ChannelGround {
    StreamContext& context;
    UpstreamUdp& udp;
    UpstreamTcp& tcp;
};

std::shared_ptr<UpstreamChannel> make_channel(const ChannelGround& ground,
                                              const UpstreamEntry& entry);

}  // namespace steer::stream

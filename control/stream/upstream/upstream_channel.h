// One upstream as one thread asks it, in whatever way: by connections that are kept (upstream_pool.h) or by datagrams
// (upstream_datagrams.h). One thread.
#pragma once

#include "control/stream/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamChannel {
  public:
    virtual ~UpstreamChannel() = default;

    // Ends by hand_back(), or in silence when its time is over. `over_tcp`: its reply over UDP was truncated.
    virtual void ask(UpstreamAsk ask, bool over_tcp) = 0;
    // Ten times a second while is_busy(), once a second otherwise.
    virtual void tick() = 0;
    [[nodiscard]] virtual bool is_busy() const = 0;
    // Addresses or routes changed.
    virtual void network_changed() = 0;
    // Nobody will ask any more. What waits is dropped.
    virtual void close() = 0;
};

}  // namespace steer::stream

// One upstream in one thread: asked by kept connections (upstream_pool.h) or by datagrams
// (upstream_datagrams.h). One thread.
#pragma once

#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamChannel {
  public:
    virtual ~UpstreamChannel() = default;

    // Ends with hand_back(), or silently when its time is over. `over_tcp`: its reply over UDP was truncated.
    virtual void ask(UpstreamAsk ask, bool over_tcp) = 0;
    // Ten times a second while is_busy(), once a second otherwise.
    virtual void tick() = 0;
    [[nodiscard]] virtual bool is_busy() const = 0;
    // Addresses or routes changed.
    virtual void network_changed() = 0;
    // No more queries will come. Drops waiting ones.
    virtual void close() = 0;
};

}  // namespace steer::stream

// One upstream in one thread, queried over kept connections (upstream_pool.h) or by datagrams
// (upstream_datagrams.h). One thread.
#pragma once

#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamChannel {
  public:
    virtual ~UpstreamChannel() = default;

    // Ends with hand_back(), or without a call after its timeout. `over_tcp`: its reply over UDP
    // was truncated.
    virtual void ask(UpstreamAsk ask, bool over_tcp) = 0;
    // Call it ten times a second while is_busy(), else once a second.
    virtual void tick() = 0;
    [[nodiscard]] virtual bool is_busy() const = 0;
    // Addresses or routes have changed.
    virtual void network_changed() = 0;
    // No more queries follow. Drops waiting ones.
    virtual void close() = 0;
};

}  // namespace steer::stream

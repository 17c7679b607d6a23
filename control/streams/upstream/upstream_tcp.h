// Queries upstreams over TCP: after truncated UDP replies, and for clients over TCP.
//
// One connection per query: such queries are rare, and the other side cannot have closed a new
// connection. At most UpstreamSocketLimits::tcp at a time; more are refused with EBUSY. Everything, including the
// connection, ends at the query's own timeout (ETIMEDOUT).
#pragma once

#include <memory>
#include <set>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamTcp {
  public:
    explicit UpstreamTcp(StreamContext& context) : context_(context) {}
    ~UpstreamTcp();

    void ask(UpstreamAsk ask);

  private:
    class Exchange;

    StreamContext& context_;
    std::set<std::shared_ptr<Exchange>> open_;
};

}  // namespace steer::stream

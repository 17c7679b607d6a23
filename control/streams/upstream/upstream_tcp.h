// Asks upstreams over TCP: for truncated UDP replies, for clients over TCP.
//
// One connection per query: such queries are few, and a fresh connection cannot have been
// closed by the other side. At most kAtOnce at a time; more are refused with EBUSY.
// Everything, including connecting, ends at the query's own timeout (ETIMEDOUT).
#pragma once

#include <memory>
#include <set>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamTcp {
  public:
    static constexpr std::size_t kAtOnce = 256;

    explicit UpstreamTcp(StreamContext& context) : context_(context) {}
    ~UpstreamTcp();

    void ask(UpstreamAsk ask);

  private:
    class Exchange;

    StreamContext& context_;
    std::set<std::shared_ptr<Exchange>> open_;
};

}  // namespace steer::stream

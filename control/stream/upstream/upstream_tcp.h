// Upstreams asked over TCP: replies that did not fit UDP, for clients that came over TCP.
//
// One connection for each query: such queries are few, and a fresh connection cannot have been
// closed by the other side in the meantime. At most kAtOnce at a time; more are refused with EBUSY.
// Everything together, connecting too, ends at the query's own timeout (ETIMEDOUT).
#pragma once

#include <memory>
#include <set>

#include "control/stream/base/stream_context.h"
#include "control/stream/upstream/upstream_reply.h"

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

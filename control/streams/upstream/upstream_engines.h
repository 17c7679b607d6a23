// Queries engines of `recursion`: programs of the daemon's own, at ports of 127.0.0.1 that no other
// user can bind (control/program/engine).
//
// Each has one connected socket, which is kept. A port drawn for each query would guard against
// forged replies, and none can come: the kernel takes datagrams of the engine alone. So a query
// costs a send and a receive, where UpstreamUdp opens and closes a socket.
//
// At most kMaxWaiting queries wait at a time for one engine; further ones end at once (ENOBUFS). A
// refusal, which only this machine can send, ends all that wait.
#pragma once

#include <list>
#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamEngines {
  public:
    static constexpr std::size_t kMaxWaiting = 4096, kMaxEngines = 64;

    explicit UpstreamEngines(StreamContext& context);
    ~UpstreamEngines();
    UpstreamEngines(const UpstreamEngines&) = delete;
    UpstreamEngines& operator=(const UpstreamEngines&) = delete;

    void ask(UpstreamAsk ask);
    // Removes queries whose time is over. Call it once a second.
    void expire();

  private:
    class Engine;

    StreamContext& context_;
    std::list<std::shared_ptr<Engine>> engines_;  // the one that was asked last comes first
};

}  // namespace steer::stream

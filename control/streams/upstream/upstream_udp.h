// Asks upstreams by kernel UDP sockets: those whose route does not leave through a port of frames,
// and all of them if there is no such port.
//
// Each query has a socket of its own, which is closed with its reply. The kernel chooses its port at
// random, and an attacker must guess that port and the id (RFC 5452 4.5 and 9.2). At most kMaxSockets wait at one
// time, fewer if the process may open only few descriptors. Beyond that the oldest query is dropped, as if
// its reply were lost. A forged reply with the right port, id and source but another question is ignored, and after
// kMaxNearMisses wrong replies the worker asks over TCP (kForgedReplies). A
// connected socket reports a refusal by the upstream's host (ICMP).
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <list>
#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamUdp {
  public:
    static constexpr std::size_t kMaxSockets = 4096;
    static constexpr unsigned kMaxNearMisses = 10;

    explicit UpstreamUdp(StreamContext& context);
    ~UpstreamUdp();
    UpstreamUdp(const UpstreamUdp&) = delete;
    UpstreamUdp& operator=(const UpstreamUdp&) = delete;

    void ask(UpstreamAsk ask);
    // Forgets queries whose time is over. Once a second.
    void expire();
    // Addresses or routes changed. A connected socket keeps its source address, so queries whose source address would
    // now be different end (ENETUNREACH).
    void network_changed();

  private:
    class Socket;
    using Sockets = std::list<std::shared_ptr<Socket>>;
    void forget(Sockets::iterator socket);

    StreamContext& context_;
    std::size_t most_;
    Sockets sockets_;  // oldest first
};

}  // namespace steer::stream

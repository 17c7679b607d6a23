// Upstreams asked by kernel UDP sockets: those whose route does not leave through a port of frames,
// and all of them where there is no such port.
//
// Each query has a socket of its own, which is closed with its reply: its port is one that the kernel chose at
// random, and an outsider must guess that port and the id (RFC 5452 4.5 and 9.2). At most kMostSockets wait at one
// time, less if the process may have few descriptors; beyond them the query that waits longest is forgotten, as if
// its reply were lost. A lie with the right port, id and source but another question is not taken, and after
// kMostNearMisses replies that are not the query's own the worker is told to ask over TCP (kForgedReplies). A
// connected socket tells when the upstream's host refuses (ICMP).
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <list>
#include <memory>

#include "control/stream/base/stream_context.h"
#include "control/stream/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamUdp {
  public:
    static constexpr std::size_t kMostSockets = 4096;
    static constexpr unsigned kMostNearMisses = 10;

    explicit UpstreamUdp(StreamContext& context);
    ~UpstreamUdp();
    UpstreamUdp(const UpstreamUdp&) = delete;
    UpstreamUdp& operator=(const UpstreamUdp&) = delete;

    void ask(UpstreamAsk ask);
    // Forgets queries whose time is over. Once a second.
    void expire();
    // Addresses or routes changed: a connected socket keeps the source address that it was given, so queries of
    // those with another than a new one would have end (ENETUNREACH).
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

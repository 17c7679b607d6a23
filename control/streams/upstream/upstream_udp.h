// Queries upstreams by kernel UDP sockets: upstreams whose route does not use a port, or all if
// there is no port.
//
// Each query has its own socket, which is closed with its reply. The kernel chooses a random port;
// an attacker must guess that port and the id (RFC 5452 4.5 and 9.2). At most
// UpstreamSocketLimits::udp wait at a time. Above that, the oldest query is dropped, as if its
// reply were lost. A forged reply with the right port, id and source but another
// question is ignored. After kMaxNearMisses wrong replies, the worker uses TCP (kForgedReplies). It
// also does after a reply that arrived as fragments, because an attacker can replace one of them.
//
// ICMP errors neither end a query nor change a path MTU: an attacker can forge them, and so find
// the port of a query, or stop the use of an upstream (CVE-2020-25705, CVE-2021-20322). Only an
// upstream on a loopback address refuses at once.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <list>
#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

class UpstreamUdp {
  public:
    static constexpr unsigned kMaxNearMisses = 10;

    explicit UpstreamUdp(StreamContext& context) : context_(context) {}
    ~UpstreamUdp();
    UpstreamUdp(const UpstreamUdp&) = delete;
    UpstreamUdp& operator=(const UpstreamUdp&) = delete;

    void ask(UpstreamAsk ask);
    // Removes queries whose time is over. Call it once a second.
    void expire();
    // Addresses or routes have changed. A connected socket keeps its source address. So queries end
    // (ENETUNREACH) if they would now have another source address.
    void network_changed();

  private:
    class Socket;
    using Sockets = std::list<std::shared_ptr<Socket>>;
    void forget(Sockets::iterator socket);

    StreamContext& context_;
    Sockets sockets_;  // oldest first
};

}  // namespace steer::stream

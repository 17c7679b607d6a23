// Upstreams asked by kernel UDP sockets: those whose route does not leave through a port of frames,
// and all of them where there is no such port.
//
// For each upstream up to kSockets connected sockets, each bound to a port that the kernel chose at
// random. A query takes a random one; a socket that carried kQueries or is older than kLifeMs takes
// no more and is closed when the last reply came. So an outsider must guess the port and the id
// (RFC 5452 4.5), and a lie with the right port, id and source but another question is not taken. A
// connected socket tells when the upstream's host refuses (ICMP).
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/stream/stream_context.h"
#include "control/stream/upstream_reply.h"

namespace steer::stream {

class UpstreamUdp {
  public:
    static constexpr std::size_t kSockets = 32;
    static constexpr unsigned kQueries = 64;
    static constexpr std::uint64_t kLifeMs = 10'000;

    explicit UpstreamUdp(StreamContext& context) : context_(context) {}
    ~UpstreamUdp();

    void ask(UpstreamAsk ask);
    // Forgets queries whose time is over and closes sockets. Once a second.
    void expire();
    // Addresses or routes changed: a connected socket keeps the source address that it was given, so
    // those with another than a new one would have take no more, and their queries end
    // (ENETUNREACH).
    void network_changed();

  private:
    class Socket;
    struct Upstream {
        IpAddress address;
        std::uint16_t port;
        std::uint32_t mark;
        std::string device;
        auto operator<=>(const Upstream&) const = default;
    };

    // One that may carry `id`; nullptr with `error` set: none could be made.
    std::shared_ptr<Socket> socket_for(const Upstream& upstream, std::uint16_t id, int& error);

    StreamContext& context_;
    std::map<Upstream, std::vector<std::shared_ptr<Socket>>> pools_;
};

}  // namespace steer::stream

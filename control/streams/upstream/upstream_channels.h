// The upstreams that one thread queries, by id: their state, and their channel
// (upstream_channel.h).
//
// Control sets a directory before workers know its upstreams (any thread). Upstreams that are no
// longer in it are closed here at the next turn.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_schemes.h"

namespace steer::stream {

using UpstreamDirectory = std::map<std::uint16_t, UpstreamEntry>;  // by Upstream::id

class UpstreamChannels {
  public:
    UpstreamChannels(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp,
                     QuicUpstreams& quic);
    ~UpstreamChannels();
    UpstreamChannels(const UpstreamChannels&) = delete;
    UpstreamChannels& operator=(const UpstreamChannels&) = delete;

    // Any thread.
    void put(std::shared_ptr<const UpstreamDirectory> directory);
    [[nodiscard]] bool knows(std::uint16_t upstream) const;

    // Queries a known upstream; an unknown one gives ENOENT.
    void ask(UpstreamAsk ask, bool over_tcp);
    void network_changed();
    // Call it once a second. Opens connections that are kept open.
    void tick();

  private:
    [[nodiscard]] std::shared_ptr<const UpstreamDirectory> directory() const;
    UpstreamChannel& channel_of(const UpstreamEntry& entry);
    void follow();
    void wait_for_turn();

    StreamContext& context_;
    const ChannelGround ground_;
    std::map<std::uint16_t, std::shared_ptr<UpstreamChannel>> channels_;
    boost::asio::steady_timer timer_;
    bool timer_runs_ = false;
    mutable std::mutex mutex_;  // protects directory_
    std::shared_ptr<const UpstreamDirectory> directory_;
};

}  // namespace steer::stream

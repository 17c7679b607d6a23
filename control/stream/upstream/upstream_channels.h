// The upstreams that one thread asks in their own way: by id, what is known of each, and what asks
// it (a pool of connections, or datagrams).
//
// Control puts a directory before workers learn of the upstreams in it (any thread); what is not in
// it any more is closed here at the next turn.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <variant>

#include "control/stream/base/stream_context.h"
#include "control/stream/upstream/upstream_datagrams.h"
#include "control/stream/upstream/upstream_pool.h"

namespace steer::stream {

struct UpstreamEntry {
    std::shared_ptr<const UpstreamTarget> target;
    std::shared_ptr<UpstreamState> state;  // all threads'
};
using UpstreamDirectory = std::map<std::uint16_t, UpstreamEntry>;  // by Upstream::id

class UpstreamChannels {
  public:
    UpstreamChannels(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp);
    ~UpstreamChannels();
    UpstreamChannels(const UpstreamChannels&) = delete;
    UpstreamChannels& operator=(const UpstreamChannels&) = delete;

    // Any thread.
    void put(std::shared_ptr<const UpstreamDirectory> directory);
    [[nodiscard]] bool knows(std::uint16_t upstream) const;

    // Of an upstream that is known; of another it ends with ENOENT.
    void ask(UpstreamAsk ask, bool over_tcp);
    void network_changed();
    // Once a second; opens what is kept open.
    void tick();

  private:
    using Pool = std::shared_ptr<UpstreamPool>;
    using Datagrams = std::shared_ptr<UpstreamDatagrams>;
    using Transport = std::variant<Pool, Datagrams>;

    [[nodiscard]] std::shared_ptr<const UpstreamDirectory> directory() const;
    Transport& transport_of(const UpstreamEntry& entry);
    void follow();
    void wait_for_turn();

    StreamContext& context_;
    UpstreamUdp& udp_;
    UpstreamTcp& tcp_;
    std::map<std::uint16_t, Transport> transports_;
    boost::asio::steady_timer timer_;
    bool timer_runs_ = false;
    mutable std::mutex mutex_;  // of directory_
    std::shared_ptr<const UpstreamDirectory> directory_;
};

}  // namespace steer::stream

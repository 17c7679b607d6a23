#include "control/streams/upstream/upstream_channels.h"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

namespace steer::stream {
namespace {

constexpr auto kTurnEvery = std::chrono::milliseconds(100);

}  // namespace

UpstreamChannels::UpstreamChannels(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp,
                                   QuicUpstreams& quic)
    : context_(context),
      ground_{context, udp, tcp, quic},
      timer_(context.io),
      directory_(std::make_shared<UpstreamDirectory>()) {}

UpstreamChannels::~UpstreamChannels() {
    for (auto& [id, channel] : channels_)
        channel->close();
}

void UpstreamChannels::put(std::shared_ptr<const UpstreamDirectory> directory) {
    {
        const std::lock_guard lock(mutex_);
        directory_ = std::move(directory);
    }
    boost::asio::post(context_.io, [this] { follow(); });
}

std::shared_ptr<const UpstreamDirectory> UpstreamChannels::directory() const {
    const std::lock_guard lock(mutex_);
    return directory_;
}

bool UpstreamChannels::knows(std::uint16_t upstream) const {
    return channels_.contains(upstream) || directory()->contains(upstream);
}

UpstreamChannel& UpstreamChannels::channel_of(const UpstreamEntry& entry) {
    const auto known = channels_.find(entry.target->id);
    if (known != channels_.end()) return *known->second;
    return *channels_.emplace(entry.target->id, make_channel(ground_, entry)).first->second;
}

// Closes removed channels; creates those that keep connections open without queries.
void UpstreamChannels::follow() {
    const auto now = directory();
    std::erase_if(channels_, [&](auto& known) {
        if (now->contains(known.first)) return false;
        known.second->close();
        return true;
    });
    for (const auto& [id, entry] : *now) {
        if (entry.target->min_conns > 0) channel_of(entry);
    }
    tick();
}

void UpstreamChannels::ask(UpstreamAsk ask, bool over_tcp) {
    const auto known = channels_.find(ask.upstream);
    if (known == channels_.end()) {
        const auto all = directory();
        const auto entry = all->find(ask.upstream);
        if (entry == all->end()) return hand_back(context_, ask, nullptr, ENOENT);
        channel_of(entry->second).ask(std::move(ask), over_tcp);
    } else {
        known->second->ask(std::move(ask), over_tcp);
    }
    wait_for_turn();
}

void UpstreamChannels::network_changed() {
    for (auto& [id, channel] : channels_)
        channel->network_changed();
    wait_for_turn();
}

void UpstreamChannels::tick() {
    for (auto& [id, channel] : channels_)
        channel->tick();
    wait_for_turn();
}

// While something is in progress.
void UpstreamChannels::wait_for_turn() {
    if (timer_runs_) return;
    for (const auto& [id, channel] : channels_) {
        timer_runs_ = timer_runs_ || channel->is_busy();
    }
    if (!timer_runs_) return;
    timer_.expires_after(kTurnEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        timer_runs_ = false;
        tick();
    });
}

}  // namespace steer::stream

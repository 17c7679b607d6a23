#include "control/stream/upstream/upstream_channels.h"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

namespace steer::stream {
namespace {

constexpr auto kTurnEvery = std::chrono::milliseconds(100);

}  // namespace

UpstreamChannels::UpstreamChannels(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp)
    : context_(context),
      udp_(udp),
      tcp_(tcp),
      timer_(context.io),
      directory_(std::make_shared<UpstreamDirectory>()) {}

UpstreamChannels::~UpstreamChannels() {
    for (auto& [id, transport] : transports_)
        std::visit([](auto& a) { a->close(); }, transport);
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
    return transports_.contains(upstream) || directory()->contains(upstream);
}

UpstreamChannels::Transport& UpstreamChannels::transport_of(const UpstreamEntry& entry) {
    const auto known = transports_.find(entry.target->id);
    if (known != transports_.end()) return known->second;
    Transport made;
    if (entry.target->scheme == UpstreamScheme::udp) {
        made = std::make_shared<UpstreamDatagrams>(context_, udp_, tcp_, entry.target, entry.state);
    } else {
        made = std::make_shared<UpstreamPool>(context_, entry.target, entry.state);
    }
    return transports_.emplace(entry.target->id, std::move(made)).first->second;
}

// Closes what is gone; makes what keeps connections open without being asked.
void UpstreamChannels::follow() {
    const auto now = directory();
    std::erase_if(transports_, [&](auto& known) {
        if (now->contains(known.first)) return false;
        std::visit([](auto& a) { a->close(); }, known.second);
        return true;
    });
    for (const auto& [id, entry] : *now) {
        if (entry.target->min_conns > 0) transport_of(entry);
    }
    tick();
}

void UpstreamChannels::ask(UpstreamAsk ask, bool over_tcp) {
    auto known = transports_.find(ask.upstream);
    if (known == transports_.end()) {
        const auto all = directory();
        const auto entry = all->find(ask.upstream);
        if (entry == all->end()) return hand_back(context_, ask, nullptr, ENOENT);
        transport_of(entry->second);
        known = transports_.find(ask.upstream);
    }
    if (auto* const pool = std::get_if<Pool>(&known->second)) {
        (*pool)->ask(std::move(ask));
    } else {
        std::get<Datagrams>(known->second)->ask(std::move(ask), over_tcp);
    }
    wait_for_turn();
}

void UpstreamChannels::network_changed() {
    for (auto& [id, transport] : transports_)
        std::visit([](auto& a) { a->network_changed(); }, transport);
    wait_for_turn();
}

void UpstreamChannels::tick() {
    for (auto& [id, transport] : transports_)
        std::visit([](auto& a) { a->tick(); }, transport);
    wait_for_turn();
}

// While something is under way.
void UpstreamChannels::wait_for_turn() {
    if (timer_runs_) return;
    for (const auto& [id, transport] : transports_) {
        const auto* const pool = std::get_if<Pool>(&transport);
        timer_runs_ = timer_runs_ || (pool != nullptr && (*pool)->is_busy());
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

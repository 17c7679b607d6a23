#include "control/streams/listen/tcp_clients.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace steer::stream {
namespace {

// Searches an idle connection among this number of the least recently active ones.
constexpr std::size_t kInspected = 32;

bool is_somebody(const IpAddress& client) {
    return client != IpAddress{};
}

}  // namespace

bool ClientConnections::admit(const IpAddress& client) {
    auto& counts = *service_->counts;
    const auto& limits = service_->limits;
    if (is_somebody(client) && !counts.take(client, limits.max_connections_per_client)) {
        context_.count(StreamCount::tcp_over_client_limit);
        return false;
    }
    if (counts.take_place(limits.max_connections)) return true;
    if (make_room() && counts.take_place(limits.max_connections)) return true;
    if (is_somebody(client)) counts.leave(client);
    context_.count(StreamCount::tcp_over_limit);
    return false;
}

bool ClientConnections::make_room() {
    std::shared_ptr<ClientConnection> leaves;
    if (!lingering_.empty()) {
        leaves = lingering_.front();
    } else if (!opening_.empty() &&
               context_.now_ms() - opening_.front()->last_used_ms_ >= kSparedMs) {
        leaves = opening_.front();
    } else {
        const auto end = std::next(open_.begin(),
                                   static_cast<std::ptrdiff_t>(std::min(kInspected, open_.size())));
        const auto idle =
            std::find_if(open_.begin(), end, [](const auto& c) { return c->is_idle(); });
        if (idle == end) return false;
        leaves = *idle;
    }
    context_.count(StreamCount::tcp_made_room);
    leaves->close();
    return true;
}

void ClientConnections::add_opening(const std::shared_ptr<ClientConnection>& connection) {
    put(connection, opening_);
}

void ClientConnections::add(const std::shared_ptr<ClientConnection>& connection) {
    put(connection, open_);
}

void ClientConnections::put(const std::shared_ptr<ClientConnection>& connection, Order& order) {
    connection->last_used_ms_ = context_.now_ms();
    connection->order_ = &order;
    connection->place_ = order.insert(order.end(), connection);
    context_.connections.fetch_add(1, std::memory_order_relaxed);
}

void ClientConnections::forget(ClientConnection& connection) {
    if (connection.order_ == nullptr) return;
    const auto kept = *connection.place_;  // until its members are done with
    std::exchange(connection.order_, nullptr)->erase(connection.place_);
    context_.connections.fetch_sub(1, std::memory_order_relaxed);
    service_->counts->leave_place();
    if (is_somebody(connection.client_)) service_->counts->leave(connection.client_);
}

void ClientConnections::linger(ClientConnection& connection) {
    if (connection.order_ != &open_) return;
    connection.last_used_ms_ = context_.now_ms();
    lingering_.splice(lingering_.end(), open_, connection.place_);
    connection.order_ = &lingering_;
}

void ClientConnections::used(ClientConnection& connection) {
    connection.last_used_ms_ = context_.now_ms();
    if (connection.order_ == &open_) open_.splice(open_.end(), open_, connection.place_);
}

void ClientConnections::flush() {
    for (std::size_t i = 0; i < to_flush_.size(); ++i) {
        to_flush_[i]->is_to_flush_ = false;
        to_flush_[i]->flush();
    }
    to_flush_.clear();
}

void ClientConnections::expire() {
    const std::uint64_t now_ms = context_.now_ms();
    expire_entered(opening_, kOpeningMs, StreamCount::tcp_opening_late);
    expire_entered(lingering_, kLingerMs, StreamCount::tcp_lingered);
    const auto idle_ms = static_cast<std::uint64_t>(service_->limits.idle_timeout.count());
    for (std::size_t left = open_.size(); left > 0 && !open_.empty(); --left) {
        const auto connection = open_.front();
        if (now_ms - connection->last_used_ms_ < idle_ms) break;
        if (connection->waits_for_us()) {
            open_.splice(open_.end(), open_, open_.begin());
            continue;
        }
        context_.count(connection->is_idle() ? StreamCount::tcp_idle : StreamCount::tcp_stalled);
        connection->close();
    }
}

void ClientConnections::expire_entered(Order& order, std::uint64_t age_ms, StreamCount why) {
    while (!order.empty() && context_.now_ms() - order.front()->last_used_ms_ >= age_ms) {
        context_.count(why);
        const auto connection = order.front();
        connection->close();
    }
}

void ClientConnections::close_all() {
    for (Order* order : {&opening_, &open_, &lingering_}) {
        while (!order->empty()) {
            const auto connection = order->front();
            connection->close();
        }
    }
    to_flush_.clear();
}

}  // namespace steer::stream

#include "control/streams/listen/tcp_clients.h"

#include <algorithm>
#include <utility>

namespace steer::stream {
namespace {

// The most idle connections that leave for one with a TLS handshake, which needs more memory.
constexpr unsigned kMostLeave = 4;

bool is_somebody(const IpAddress& client) {
    return client != IpAddress{};
}

}  // namespace

std::size_t ClientConnections::open_bytes() const {
    return standing_bytes_of(service_->protocol, service_->tls != nullptr);
}

std::size_t ClientConnections::opening_bytes() const {
    return service_->tls != nullptr ? kHandshakeBytes : open_bytes();
}

bool ClientConnections::admit(const IpAddress& client) {
    auto& counts = *service_->counts;
    const auto& limits = service_->limits;
    if (is_somebody(client) && !counts.take(client, limits.max_connections_per_client)) {
        context_.count(StreamCount::tcp_over_client_limit);
        return false;
    }
    if (counts.take_place(limits.max_connections) ||
        (make_room() && counts.take_place(limits.max_connections))) {
        if (admit_to_process(client)) return true;
        context_.count(StreamCount::tcp_over_process_limit);
        counts.leave_place();
    } else {
        context_.count(StreamCount::tcp_over_limit);
    }
    if (is_somebody(client)) counts.leave(client);
    return false;
}

bool ClientConnections::admit_to_process(const IpAddress& client) {
    if (is_somebody(client) && !take_share(client)) return false;
    if (take_process_place()) return true;
    if (is_somebody(client)) context_.client_budget->leave_of_client(client);
    return false;
}

bool ClientConnections::take_share(const IpAddress& client) {
    ClientBudget& budget = *context_.client_budget;
    if (budget.take_of_client(client)) return true;
    const auto own = std::ranges::find_if(
        open_, [&](const auto& c) { return c->client_ == client && c->is_idle(); });
    if (own == open_.end()) return false;
    context_.count(StreamCount::tcp_made_process_room);
    const auto leaves = *own;
    leaves->close();
    return budget.take_of_client(client);
}

bool ClientConnections::take_process_place() {
    ClientBudget& budget = *context_.client_budget;
    const std::size_t bytes = opening_bytes();
    if (budget.take(bytes)) return true;
    for (unsigned left = kMostLeave; left > 0; --left) {
        if (!(context_.make_room ? context_.make_room() : make_room())) break;
        if (budget.take(bytes)) return true;
    }
    // Those of this thread are all busy. The reserve has a descriptor for one beyond.
    if (!context_.ask_others_for_room || !budget.take(bytes, 1)) return false;
    context_.ask_others_for_room();
    return true;
}

ClientConnections::Leaver ClientConnections::find_leaver() {
    const auto first_of = [](const Order& order, unsigned rank) {
        return Leaver{order.front(), rank, order.front()->last_used_ms_};
    };
    if (!lingering_.empty()) return first_of(lingering_, 0);
    if (!opening_.empty() && context_.now_ms() - opening_.front()->last_used_ms_ >= kSparedMs)
        return first_of(opening_, 1);
    while (!open_.empty()) {
        const auto& longest = open_.front();
        if (longest->is_idle()) return first_of(open_, 2);
        longest->order_ = &busy_;
        busy_.splice(busy_.end(), open_, open_.begin());
    }
    return {};
}

bool ClientConnections::make_room() {
    const Leaver leaves = find_leaver();
    if (leaves.connection == nullptr) return false;
    context_.count(StreamCount::tcp_made_room);
    leaves.connection->close();
    return true;
}

void ClientConnections::add_opening(const std::shared_ptr<ClientConnection>& connection) {
    put(connection, opening_, opening_bytes());
}

void ClientConnections::add(const std::shared_ptr<ClientConnection>& connection) {
    put(connection, open_, open_bytes());
}

void ClientConnections::put(const std::shared_ptr<ClientConnection>& connection, Order& order,
                            std::size_t standing_bytes) {
    context_.client_budget->leave_bytes(opening_bytes() - standing_bytes);  // admit() took more
    connection->standing_bytes_ = standing_bytes;
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
    ClientBudget& budget = *context_.client_budget;
    budget.leave(connection.standing_bytes_);
    budget.hold(std::exchange(connection.held_bytes_, 0), 0);
    if (!is_somebody(connection.client_)) return;
    service_->counts->leave(connection.client_);
    budget.leave_of_client(connection.client_);
}

void ClientConnections::linger(ClientConnection& connection) {
    if (connection.order_ != &open_ && connection.order_ != &busy_) return;
    connection.last_used_ms_ = context_.now_ms();
    lingering_.splice(lingering_.end(), *connection.order_, connection.place_);
    connection.order_ = &lingering_;
}

void ClientConnections::used(ClientConnection& connection) {
    connection.last_used_ms_ = context_.now_ms();
    if (connection.order_ != &open_ && connection.order_ != &busy_) return;
    open_.splice(open_.end(), *connection.order_, connection.place_);
    connection.order_ = &open_;
}

void ClientConnections::settle(ClientConnection& connection) {
    if (connection.order_ == &busy_ && connection.is_idle()) used(connection);
}

bool ClientConnections::may_hold(ClientConnection& connection, std::size_t bytes) {
    if (connection.order_ == nullptr) return true;
    const std::size_t counted = bytes - std::min(bytes, kFreeBytes);
    ClientBudget& budget = *context_.client_budget;
    const bool grows = counted > connection.held_bytes_;
    budget.hold(std::exchange(connection.held_bytes_, counted), counted);
    if (!grows || counted <= budget.free_bytes()) return true;
    context_.count(StreamCount::tcp_unread);
    return false;
}

void ClientConnections::flush() {
    for (std::size_t i = 0; i < to_flush_.size(); ++i) {
        to_flush_[i]->is_to_flush_ = false;
        to_flush_[i]->flush();
    }
    to_flush_.clear();
}

void ClientConnections::expire() {
    expire_entered(opening_, kOpeningMs, StreamCount::tcp_opening_late);
    expire_entered(lingering_, kLingerMs, StreamCount::tcp_lingered);
    expire_silent(open_);
    expire_silent(busy_);
    if (context_.client_budget->is_half_held()) close_holders();
}

void ClientConnections::expire_silent(Order& order) {
    const std::uint64_t now_ms = context_.now_ms();
    const auto idle_ms = static_cast<std::uint64_t>(service_->limits.idle_timeout.count());
    for (std::size_t left = order.size(); left > 0 && !order.empty(); --left) {
        const auto connection = order.front();
        if (now_ms - connection->last_used_ms_ < idle_ms) break;
        if (connection->waits_for_us()) {
            order.splice(order.end(), order, order.begin());
            continue;
        }
        context_.count(connection->is_idle() ? StreamCount::tcp_idle : StreamCount::tcp_stalled);
        connection->close();
    }
}

// Those that hold more than is free, since others hold much, too. The longest silent ones first: what
// they held is free for the next.
void ClientConnections::close_holders() {
    for (Order* order : {&busy_, &open_}) {
        for (auto at = order->begin(); at != order->end();) {
            const auto connection = *at++;
            if (connection->held_bytes_ <= context_.client_budget->free_bytes()) continue;
            context_.count(StreamCount::tcp_unread);
            connection->close();
        }
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
    for (Order* order : {&opening_, &open_, &busy_, &lingering_}) {
        while (!order->empty()) {
            const auto connection = order->front();
            connection->close();
        }
    }
    to_flush_.clear();
}

}  // namespace steer::stream

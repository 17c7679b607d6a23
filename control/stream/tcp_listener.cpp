#include "control/stream/tcp_listener.h"

#include <algorithm>
#include <utility>

namespace steer::stream {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// When the process has no descriptor left, the next attempt is made after so long.
constexpr std::chrono::milliseconds kPause{100};

tcp protocol_of(const IpAddress& address) {
    return address.is_v4() ? tcp::v4() : tcp::v6();
}

}  // namespace

bool TcpClients::admit(const IpAddress& client) {
    const auto it = by_client_.find(client);
    if (it != by_client_.end() && it->second >= limits_.per_client) {
        context_.count(StreamCount::tcp_over_client_limit);
        return false;
    }
    if (open_.size() >= limits_.connections && !make_room()) {
        context_.count(StreamCount::tcp_over_limit);
        return false;
    }
    return true;
}

bool TcpClients::make_room() {
    TcpConnection* oldest = nullptr;
    for (const auto& [raw, connection] : open_) {
        if (!connection->is_idle()) continue;
        if (oldest == nullptr || connection->last_used_ms() < oldest->last_used_ms()) {
            oldest = connection.get();
        }
    }
    if (oldest == nullptr) return false;
    context_.count(StreamCount::tcp_made_room);
    oldest->close();
    return true;
}

void TcpClients::add(const std::shared_ptr<TcpConnection>& connection) {
    open_.emplace(connection.get(), connection);
    ++by_client_[connection->client()];
    count_.store(static_cast<unsigned>(open_.size()), std::memory_order_relaxed);
}

void TcpClients::forget(const TcpConnection& connection) {
    const auto it = by_client_.find(connection.client());
    if (it != by_client_.end() && --it->second == 0) by_client_.erase(it);
    const auto open = open_.find(&connection);
    if (open == open_.end()) return;
    const auto kept = std::move(open->second);  // until its members are done with
    open_.erase(open);
    count_.store(static_cast<unsigned>(open_.size()), std::memory_order_relaxed);
}

void TcpClients::close_all() {
    while (!open_.empty())
        open_.begin()->second->close();
}

TcpListener::TcpListener(StreamContext& context, Injector& injector, TcpClients& clients,
                         int socket, const IpAddress& local, std::uint16_t local_port,
                         std::chrono::milliseconds idle)
    : context_(context),
      injector_(injector),
      clients_(clients),
      acceptor_(context.io, protocol_of(local), socket),
      pause_(context.io),
      local_(local),
      local_port_(local_port),
      idle_(idle) {}

void TcpListener::start() {
    accept();
}

void TcpListener::close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

void TcpListener::accept() {
    acceptor_.async_accept(
        [self = shared_from_this()](const error_code& error, tcp::socket socket) {
            if (!self->acceptor_.is_open()) return;
            if (!error) {
                self->serve(std::move(socket));
                self->accept();
                return;
            }
            if (error == boost::asio::error::connection_aborted) {
                self->accept();
                return;
            }
            self->pause_.expires_after(kPause);
            self->pause_.async_wait([self](const error_code& stopped) {
                if (!stopped && self->acceptor_.is_open()) self->accept();
            });
        });
}

void TcpListener::serve(tcp::socket socket) {
    Asker asker;
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    asker.client.length =
        static_cast<socklen_t>(std::min<std::size_t>(peer.size(), sizeof asker.client.storage));
    std::copy_n(reinterpret_cast<const std::uint8_t*>(peer.data()), asker.client.length,
                reinterpret_cast<std::uint8_t*>(&asker.client.storage));
    asker.local = local_;
    asker.local_port = local_port_;
    const IpAddress client = asker.client.address();
    if (!clients_.admit(client)) return;
    socket.set_option(tcp::no_delay(true), error);
    context_.count(StreamCount::tcp_accepted);
    const auto connection = std::make_shared<TcpConnection>(context_, injector_, clients_,
                                                            std::move(socket), asker, idle_);
    clients_.add(connection);
    connection->start();
}

}  // namespace steer::stream

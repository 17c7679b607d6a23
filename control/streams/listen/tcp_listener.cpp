#include "control/streams/listen/tcp_listener.h"

#include <algorithm>
#include <utility>

#include "control/streams/listen/serve_client.h"

namespace steer::stream {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// Delay of the next attempt when the process has no descriptor left.
constexpr std::chrono::milliseconds kPause{100};

tcp protocol_of(const IpAddress& address) {
    return address.is_v4() ? tcp::v4() : tcp::v6();
}

}  // namespace

TcpListener::TcpListener(StreamContext& context, Injector& injector, ClientConnections& clients,
                         int socket, const IpAddress& local, std::uint16_t local_port)
    : context_(context),
      injector_(injector),
      clients_(clients),
      acceptor_(context.io, protocol_of(local), socket),
      pause_(context.io),
      local_(local),
      local_port_(local_port) {}

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
            } else if (error != boost::asio::error::connection_aborted) {
                return self->pause();
            }
            self->accept();
        });
}

void TcpListener::pause() {
    context_.count(StreamCount::tcp_no_descriptor);
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](const error_code& stopped) {
        if (!stopped && self->acceptor_.is_open()) self->accept();
    });
}

void TcpListener::serve(tcp::socket socket) {
    QueryOrigin origin;
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    origin.client.length =
        static_cast<socklen_t>(std::min<std::size_t>(peer.size(), sizeof origin.client.storage));
    std::copy_n(reinterpret_cast<const std::uint8_t*>(peer.data()), origin.client.length,
                reinterpret_cast<std::uint8_t*>(&origin.client.storage));
    origin.local = local_;
    origin.local_port = local_port_;
    socket.set_option(tcp::no_delay(true), error);
    serve_client(context_, injector_, clients_, std::move(socket), origin);
}

}  // namespace steer::stream

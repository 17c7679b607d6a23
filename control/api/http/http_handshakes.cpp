// TLS of HttpServer: bounded, because the main thread signs.
#include <algorithm>
#include <utility>

#include "control/api/http/http_server.h"

namespace steer::ops {
namespace asio = boost::asio;

// The oldest one is displaced: a client that goes on needs two round trips, one that stopped stays until its end. First one of
// the same address, then one of an address that was never let in.
void HttpServer::make_room_for_a_handshake(const ConnectionPtr& connection) {
    const IpAddress site = site_of(connection->address);
    const auto is_same = [&](const ConnectionPtr& one) { return site_of(one->address) == site; };
    auto oldest = handshakes_.end();
    if (static_cast<std::size_t>(std::count_if(handshakes_.begin(), handshakes_.end(), is_same)) >=
        kOpenHandshakesPerAddress) {
        oldest = std::find_if(handshakes_.begin(), handshakes_.end(), is_same);
    } else if (handshakes_.size() >= kOpenHandshakes) {
        const auto now = HandshakeLimits::Clock::now();
        oldest =
            std::find_if(handshakes_.begin(), handshakes_.end(), [&](const ConnectionPtr& one) {
                return !handshake_limits_.is_known(one->address, now);
            });
        if (oldest == handshakes_.end()) oldest = handshakes_.begin();
    }
    if (oldest == handshakes_.end()) return;
    (*oldest)->is_displaced = true;
    (*oldest)->close();
    handshakes_.erase(oldest);
}

// False: the connection is over.
asio::awaitable<bool> HttpServer::begin_tls(const ConnectionPtr& connection) {
    make_room_for_a_handshake(connection);
    handshakes_.push_back(connection);
    connection->close_after(connection, kHandshakeTime);
    bool is_open = co_await wait_for_bytes(*connection);
    bool is_refused = false;
    if (is_open && !handshake_limits_.take(connection->address, HandshakeLimits::Clock::now())) {
        refusals_.add(HttpRefusal::handshake_rate);
        is_open = false;
        is_refused = true;
    }
    if (is_open) {
        auto ssl = tls_->accept();
        is_open = ssl != nullptr && connection->stream.secure(std::move(ssl));
    }
    if (is_open) is_open = co_await shake_hands(*connection);
    handshakes_.remove(connection);
    if (!is_open && !is_refused && acceptor_.is_open()) {
        refusals_.add(connection->is_displaced ? HttpRefusal::handshake_crowd
                      : connection->is_late    ? HttpRefusal::handshake_time
                                               : HttpRefusal::handshake_failed);
    }
    co_return is_open;
}

}  // namespace steer::ops

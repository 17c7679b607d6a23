// TLS of RpcServer: bounded, because the main thread signs.
#include <algorithm>
#include <utility>

#include "control/api/rpc/rpc_server_impl.h"

namespace steer::ops {
namespace asio = boost::asio;

// The oldest one gives way: a client that goes on needs two round trips, one that stopped stays until its end. First one of
// the same address, then one of an address that was never let in.
void RpcServer::Impl::make_room_for_a_handshake(const ConnectionPtr& connection) {
    const IpAddress site = site_of(connection->address);
    const auto is_same = [&](const ConnectionPtr& one) { return site_of(one->address) == site; };
    auto oldest = handshakes.end();
    if (static_cast<std::size_t>(std::count_if(handshakes.begin(), handshakes.end(), is_same)) >=
        kOpenHandshakesPerAddress) {
        oldest = std::find_if(handshakes.begin(), handshakes.end(), is_same);
    } else if (handshakes.size() >= kOpenHandshakes) {
        const auto now = HandshakeLimits::Clock::now();
        oldest = std::find_if(handshakes.begin(), handshakes.end(), [&](const ConnectionPtr& one) {
            return !limits.is_known(one->address, now);
        });
        if (oldest == handshakes.end()) oldest = handshakes.begin();
    }
    if (oldest == handshakes.end()) return;
    (*oldest)->gave_way = true;
    (*oldest)->close();
    handshakes.erase(oldest);
}

// False: the connection is over.
asio::awaitable<bool> RpcServer::Impl::begin_tls(const ConnectionPtr& connection) {
    make_room_for_a_handshake(connection);
    handshakes.push_back(connection);
    connection->close_after(connection, kHandshakeTime);
    bool is_open = co_await wait_for_bytes(*connection);
    bool is_refused = false;
    if (is_open && !limits.take(connection->address, HandshakeLimits::Clock::now())) {
        refusals.add(HttpRefusal::handshake_rate);
        is_open = false;
        is_refused = true;
    }
    if (is_open) {
        auto ssl = tls.accept();
        is_open = ssl != nullptr && connection->stream.secure(std::move(ssl));
    }
    if (is_open) is_open = co_await shake_hands(*connection);
    handshakes.remove(connection);
    if (!is_open && !is_refused && acceptor.is_open()) {
        refusals.add(connection->gave_way  ? HttpRefusal::handshake_crowd
                     : connection->is_late ? HttpRefusal::handshake_time
                                           : HttpRefusal::handshake_failed);
    }
    co_return is_open;
}

}  // namespace steer::ops

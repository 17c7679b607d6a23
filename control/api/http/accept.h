// The accept loop of a server on the main thread: passes every connection to `take` until the
// acceptor is closed.
//
// Without a free descriptor it pauses, so that present sessions can end. `take` limits their
// number.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "control/host/process/no_throw.h"

namespace steer::ops {

// `acceptor` and `pause` outlive the coroutine. `take` gets the socket.
template <class Acceptor, class Take>
boost::asio::awaitable<void> accept_each(Acceptor& acceptor, boost::asio::steady_timer& pause,
                                         Take take) {
    constexpr std::chrono::milliseconds kAcceptPause{100};
    while (acceptor.is_open()) {
        auto [error, socket] = co_await acceptor.async_accept(kNoThrow);
        if (!acceptor.is_open()) break;
        if (error) {
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(kNoThrow);
            continue;
        }
        take(std::move(socket));
    }
}

}  // namespace steer::ops

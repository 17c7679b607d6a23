// The accept loop of a server on thread `house`: hands every connection to `take` until the acceptor is closed.
//
// Without a descriptor left it pauses, so that the sessions that are there may end; a limit on them is `take`'s.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace steer::ops {

// What an operation came to as a tuple with its error code; nothing is thrown.
inline constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

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

// What the control socket tells of routers and does to them: `routers`, `routers.*`, `bypass` (docs/reference/control-socket.md).
//
// `routers.probe` tells of the last probe, with its transcript when that has ended. `routers.pause` and `bypass` answer
// when they hold: when nothing that was sent before is under way, or with the number of such sentences after five seconds.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>

#include "control/ops/methods.h"
#include "control/sinks/router_thread.h"

namespace steer {

// Of `status` and `routers`.
boost::json::object router_status(const RouterThread::Status& router, std::uint64_t now_ms);

// Answers on the main thread. The thread is there when the first request comes, and outlives the socket.
void add_router_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                        const std::unique_ptr<RouterThread>& routers);

// As `routers.forget` does, for many addresses and all routers. Calls `done` on the main thread with how many rows are removed.
void forget_rows(boost::asio::io_context& main_io, RouterThread& routers,
                 std::vector<IpAddress> addresses, std::function<void(std::size_t)> done);

}  // namespace steer

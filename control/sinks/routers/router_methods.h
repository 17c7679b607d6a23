// The control socket's methods for routers: `routers`, `routers.*`, `bypass`
// (docs/reference/control-socket.md).
//
// `routers.probe` reports the last probe, with its transcript after its end. `routers.pause` and
// `bypass` answer when they are effective, that is, when no earlier write is in flight. After five
// seconds they answer with the number of such sentences.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/sinks/routers/router_thread.h"

namespace steer {

// The age of a time of our clock, for the JSON of reports.
double seconds_ago(std::uint64_t at_ms, std::uint64_t now_ms);
// The results of a router's probe.
boost::json::object findings_object(const routeros::Findings& findings);

// For `status` and `routers`.
boost::json::object router_status(const RouterThread::Status& router, std::uint64_t now_ms);

// The aliases of OPNsense routers, as in `status`; each has a `name`.
using OpnsenseRows = std::function<boost::json::array()>;

// Answers on the main thread, where it also calls `opnsense`. The routers' thread must run before
// the first request, and outlive the socket. All methods except `routers` are for RouterOS.
void add_router_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                        const std::unique_ptr<RouterThread>& routers, OpnsenseRows opnsense);

// As `routers.forget`, for many addresses and all routers. Calls `done` on the main thread with the
// number of removed rows.
void forget_rows(boost::asio::io_context& main_io, RouterThread& routers,
                 std::vector<IpAddress> addresses, std::function<void(std::size_t)> done);

// The metrics of one router: steerdns_router_*.
void write_router_metrics(ops::MetricWriter& writer, const RouterThread::Status& router,
                          std::uint64_t now_ms);

}  // namespace steer

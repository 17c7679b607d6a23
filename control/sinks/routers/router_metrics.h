// The metrics of one router: steerdns_router_*.
#pragma once

#include <cstdint>

#include "control/api/metrics/metrics.h"
#include "control/sinks/routers/router_thread.h"

namespace steer {

void write_router_metrics(ops::MetricWriter& writer, const RouterThread::Status& router,
                          std::uint64_t now_ms);

}  // namespace steer

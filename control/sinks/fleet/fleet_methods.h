// `fleet` of the control socket, and the fleet's metrics.
#pragma once

#include <boost/asio/io_context.hpp>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/sinks/fleet/fleet_service.h"

namespace steer::fleet {

// `service` is set before the first call; its thread answers, and `main_io` gets the result.
void add_fleet_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                       FleetService* const& service);

// Nothing without a fleet.
void write_fleet_metrics(ops::MetricWriter& writer, const FleetView& view);

}  // namespace steer::fleet

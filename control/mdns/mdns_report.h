// The mDNS repeater in `status`, `counters` and the metrics (steerdns_mdns_*, by interface).
#pragma once

#include <boost/json/object.hpp>

#include "control/api/metrics/metrics.h"
#include "control/mdns/mdns.h"

namespace steer {

// Adds nothing if no interface is configured.
void add_mdns_status(boost::json::object& all, const mdns::Mdns* mdns);
void add_mdns_counters(boost::json::object& all, const mdns::Mdns* mdns);
void write_mdns_metrics(ops::MetricWriter& writer, const mdns::Mdns* mdns);

}  // namespace steer

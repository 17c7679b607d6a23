// The metrics of metrics_collector: steerdns_collector_*, by name, summed over all workers.
#pragma once

#include <memory>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "dataplane/policy/collector.h"

namespace steer {

void write_collector_metrics(ops::MetricWriter& writer,
                             const std::vector<std::shared_ptr<Collector>>& collectors);

}  // namespace steer

// One worker's counts of queries (dataplane/base/query_counters.h) as metrics and as JSON.
#pragma once

#include <boost/json/object.hpp>

#include "control/api/metrics/metrics.h"
#include "dataplane/base/query_counters.h"

namespace steer::ops {

// `cycles_per_second`: of the TSC.
void write_query_counters(MetricWriter& writer, unsigned worker, const QueryCounters& counters,
                          double cycles_per_second);
// Adds groups of numbers: queries_by_transport, queries_by_type, answers_by_rcode, answer_us_PATH
// and time_us. answer_us_PATH has the number of answers, the sum of their times and the histogram
// ("to_100": more than 30 and at most 100 microseconds). time_us has "busy". Leaves out types,
// rcodes and buckets that are 0.
void add_query_counters(boost::json::object& worker, const QueryCounters& counters,
                        double cycles_per_second);

}  // namespace steer::ops

// Reports about the lists that plugins read: `steerctl lists` and `status`, metrics.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <span>

#include "control/api/metrics/metrics.h"
#include "control/config/settings/list_settings.h"

namespace steer {

// [{"plugin", "list", "file", "rules", "bad_lines", "left_out", "max_shrink", "loaded"}]
boost::json::array list_rules(std::span<const config::ReadList> lists);
// {"lists", "rules", "bad_lines", "left_out", "not_loaded": sources}
boost::json::object list_summary(std::span<const config::ReadList> lists);
void write_list_metrics(ops::MetricWriter& writer, std::span<const config::ReadList> lists);

}  // namespace steer

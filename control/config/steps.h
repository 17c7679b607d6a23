// What an executor does where there is no query: steps, one after the other.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// The plugins (download, reload, reload_provider, sleep, debug_print) that an executor comes to, in order.
// Error: one that needs a query, with its line.
Result<std::vector<PluginIndex>> steps_of(const Settings& settings, PluginIndex executor, int line);

// Every cron's executors can run without a query, and nobody refers to a cron. Graphs have no cycles by then.
void check_crons(Reading& in);
// What queries come to has none of these in it (Settings::entry is known).
void check_queries(Reading& in);

}  // namespace steer::config

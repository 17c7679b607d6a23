// What an executor does where there is no query: steps, one after the other.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// The plugins (download, reload, reload_provider, sleep, debug_print) that an executor comes to, in order.
// Error: one that needs a query, with its line.
Result<std::vector<PluginIndex>> steps_of(const Settings& settings, PluginIndex executor, int line);

// Checks that every cron's executors can run without a query, and that no plugin refers to a cron. Needs a graph without cycles.
void check_crons(Reading& in);
// A download, reload or reload_provider: a query starts it, and control runs it in the background.
bool works_beside_queries(const Plugin& plugin);
// Those that queries reach.
std::vector<PluginIndex> raised_by_queries(const Settings& settings);

}  // namespace steer::config

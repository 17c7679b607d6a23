// The work of an executor that runs without a query: steps, one after the other.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// The plugins (download, reload, reload_provider, sleep, debug_print) that an executor runs, in
// order. Error: a plugin that needs a query, with its line.
Result<std::vector<PluginIndex>> steps_of(const Settings& settings, PluginIndex executor, int line);

// Checks that every cron's executors can run without a query, and that no plugin refers to a cron.
// The graph must have no cycles.
void check_crons(Reading& in);
// Whether it is a download, reload or reload_provider: a query starts it, and control runs it in
// the background.
bool works_beside_queries(const Plugin& plugin);
// The ones that queries reach.
std::vector<PluginIndex> raised_by_queries(const Settings& settings);

}  // namespace steer::config

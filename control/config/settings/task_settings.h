// Arguments of the plugins with work of their own: at a time, at the start, or on request of a
// query.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/list_settings.h"

namespace steer::config {

struct DownloadItem {
    std::string url, file;  // the path to open
    int line = 0;
    std::vector<ListUse> uses{};  // of the plugins that read the file as a list
};
struct Download {
    std::vector<DownloadItem> items;  // at least one
    Milliseconds timeout{60'000};     // each
    bool startup_if_missing = true;
};
struct ReloadAll {};  // `reload`
struct ReloadProvider {
    std::vector<PluginIndex> providers;  // at least one
};
struct CronJob {
    std::string name;                    // unique in its cron
    std::string schedule;                // as in crontab(5); empty: use the interval
    Milliseconds interval{0};            // whole seconds
    std::vector<PluginIndex> executors;  // at least one
    int line = 0;
};
struct Cron {
    std::string tag, timezone;  // empty: the system's
    std::vector<CronJob> jobs;  // at least one
};

}  // namespace steer::config

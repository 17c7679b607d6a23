// Gives files to the unprivileged user, and becomes that user.
#pragma once

#include <string>
#include <vector>

#include "control/config/start_settings.h"
#include "control/program/build/build.h"
#include "control/runtime/ports/port_set.h"
#include "matchers/result.h"

namespace steer {

// `dumps`: folders of cache dumps. After it, this thread and later ones open only files that
// file_access.h names, and threads can be filtered (call_filters.h).
Result<void> give_up_rights(const StartSettings& start, const build::Built& built,
                            const std::vector<std::string>& dumps, const PortSet& ports);

}  // namespace steer

// Sets up spdlog's default logger: standard output, and a copy in a file if there is one.
//
// Under systemd (JOURNAL_STREAM) lines start with the syslog level "<6>" and have no time of their
// own, since the journal keeps both. Lines are flushed as they are written. Writing may wait: no
// worker logs.
#pragma once

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::ops {

// An Error if the file cannot be opened; then standard output alone is set up.
Result<void> start_log(const config::Log& settings);
// From now on. Any thread.
void set_log_level(config::LogLevel level);

}  // namespace steer::ops

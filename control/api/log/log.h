// Sets up spdlog's default logger: standard output, and a copy in a file if there is one.
//
// A line is "2026-11-22 17:38:41.250+00:00 warning TEXT". Under systemd (JOURNAL_STREAM), lines
// start with the syslog level "<6>" and have no time, because the journal stores both. Each line is
// flushed when it is written. A new log file has mode 0640. Writing may wait: no worker logs. Every
// line is safe text (matchers/safe_text.h) of at most kSafeLineBytes. So remote text cannot start a
// new line or send control characters to a terminal.
#pragma once

#include <string>

#include "control/config/settings/section_settings.h"
#include "matchers/result.h"

namespace steer::ops {

// Returns an Error if the file cannot be opened; then only standard output is set up. Call it
// before other threads start.
Result<void> start_log(const config::Log& settings);
// Sends the copy to this file from now on (empty: no copy). Opens the file again if another file
// has its name, as after logrotate. On an Error the copy stays as it is. Always call it from the
// same thread.
Result<void> set_log_file(const std::string& path, const config::LogRotation& rotation = {});
// Writes the reason why the program does not start. It goes to standard error in the log's format,
// at any level, and to the log's file if there is one. Works before start_log().
void log_refusal(const std::string& sentence);
// Applies from now on. Any thread.
void set_log_level(config::LogLevel level);

}  // namespace steer::ops

// Sets up spdlog's default logger: standard output, and a copy in a file if there is one.
//
// A line is "2026-11-22 17:38:41.250+00:00 warning TEXT". Under systemd (JOURNAL_STREAM) lines start
// with the syslog level "<6>" and have no time of their own, since the journal keeps both. Lines are
// flushed as they are written. A log file is made with mode 0640. Writing may wait: no worker logs.
// Every line is safe text (matchers/safe_text.h) of at most kSafeLineBytes, so that remote text cannot start a new line
// or send control characters to a terminal.
#pragma once

#include <string>

#include "control/config/settings/section_settings.h"
#include "matchers/result.h"

namespace steer::ops {

// An Error if the file cannot be opened; then only standard output is set up. Call it before other threads start.
Result<void> start_log(const config::Log& settings);
// From now on the copy goes to this file (empty: to none). It is opened again if another file has its name: logrotate
// renames. On an Error the copy goes where it went before. Always from one thread.
Result<void> set_log_file(const std::string& path, const config::LogRotation& rotation = {});
// Why the program does not start: to standard error in the log's format, at any level, and
// to the log's file if there is one. Works before start_log().
void log_refusal(const std::string& sentence);
// From now on. Any thread.
void set_log_level(config::LogLevel level);

}  // namespace steer::ops

// Sets up spdlog's default logger: standard output, and a copy in a file if there is one.
//
// A line is "2026-11-22 17:38:41.250+00:00 warning TEXT". Under systemd (JOURNAL_STREAM), lines
// start with the syslog level "<6>" and have no time, because the journal stores both. A new log
// file has mode 0640. Every line is safe text (matchers/safe_text.h) of at most kSafeLineBytes. So
// remote text cannot start a new line or send control characters to a terminal.
//
// No thread that logs waits for a reader: each output has a queue and a thread (log_writer.h). What
// the queue cannot hold (log_queue.h) is lost, counted, and reported in the log. No worker logs.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "control/api/log/log_writer.h"
#include "control/config/settings/section_settings.h"
#include "matchers/result.h"

namespace steer::ops {

// How long the end of the log waits for its readers.
inline constexpr int kLogEndMs = 2'000;
inline constexpr std::chrono::milliseconds kLogEndPatience{kLogEndMs};

// Starts the log's threads. Returns an Error if that fails, or if the file cannot be opened; then
// only standard output is set up. Call it after the starters' fork(), and before other threads
// start.
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

// Lines that this thread logs in its scope may use the reserve of the audit.
class AuditLine {
  public:
    AuditLine();
    ~AuditLine();
    AuditLine(const AuditLine&) = delete;
    AuditLine& operator=(const AuditLine&) = delete;
};
// The process ends: lines from now on may use the reserve of last lines. Any thread.
void expect_last_lines();
// Waits until all lines so far are written or lost. False: not in this time. Any thread.
bool flush_log(std::chrono::milliseconds patience);
// Writes what waits, for kLogEndPatience at most. Lines after it are lost.
void end_log();
// What waits and what was lost, an element for each output. Any thread.
std::vector<LogReport> log_reports();

}  // namespace steer::ops

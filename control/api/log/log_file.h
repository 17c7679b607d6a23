// The log's copy in a file, rotated by time. The first line of a new period (UTC) renames the file
// to "FILE.DATE", with the date of the old period, and begins a new file. A new file has mode 0640;
// changes of a file's permissions by an operator stay.
//
// The time is that of the lines, so a test sets the clock by its lines. If the rename fails, the
// sink continues in the old file and writes the cause there; the next period tries again.
#pragma once

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>
#include <string>

#include "control/api/log/log_patience.h"
#include "control/config/settings/section_settings.h"

namespace steer::ops {

// Throws spdlog::spdlog_ex if the file cannot be opened. One thread at a time may use the sink. A
// named pipe is never rotated. `patience`: with the pipe's reader (nullptr: without a limit).
std::shared_ptr<spdlog::sinks::sink> open_log_file(const std::string& path,
                                                   const config::LogRotation& rotation,
                                                   std::shared_ptr<LogPatience> patience = nullptr);

// "2026-11-23-17-38", "2026-11-23-17", "2026-11-23"; for a week, the date of its Monday; empty:
// never.
std::string period_of(std::chrono::system_clock::time_point at, config::RotationPeriod period);

}  // namespace steer::ops

// The log's copy in a file, rotated by time: at the first line of a new period (UTC) the file is renamed to "FILE.DATE" of the
// period that it is of, and begun anew. A file is made with mode 0640; rights that an operator gave stay.
//
// The time is that of the lines, so a test turns the clock by what it logs. If the file cannot be renamed, it is written on, and
// a line in it says why; the next period tries again.
#pragma once

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>
#include <string>

#include "control/config/section_settings.h"

namespace steer::ops {

// Throws spdlog::spdlog_ex if the file cannot be opened. Safe for several threads.
std::shared_ptr<spdlog::sinks::sink> open_log_file(const std::string& path,
                                                   const config::LogRotation& rotation);

// "2026-11-23-17-38", "2026-11-23-17", "2026-11-23"; of a week that of its Monday; empty: never.
std::string period_of(std::chrono::system_clock::time_point at, config::RotationPeriod period);

}  // namespace steer::ops

// The outputs of the log: standard output and error, which this process shares with others, and
// files and pipes that it opens.
//
// The log's thread uses them, and waits for their readers (log_patience.h). A line that cannot be
// written is an exception spdlog::spdlog_ex with the reason.
#pragma once

#include <spdlog/sinks/sink.h>

#include <memory>
#include <string>

#include "control/api/log/log_patience.h"

namespace steer::ops {

// An inherited descriptor, with colors on a terminal. Its flags stay: other processes share them.
std::shared_ptr<spdlog::sinks::sink> inherited_output(int descriptor,
                                                      std::shared_ptr<LogPatience> patience);

// A file that lines are added to, made with mode 0640 if it is missing; or a named pipe, whose
// reader may come later or come back. Throws spdlog::spdlog_ex if it cannot be opened.
std::shared_ptr<spdlog::sinks::sink> file_output(const std::string& path,
                                                 std::shared_ptr<LogPatience> patience);

// Waits for a reader as long as `patience` does. 0: all is written; else the error (ETIMEDOUT: its
// reader does not read).
int write_all(int descriptor, const spdlog::memory_buf_t& line, LogPatience& patience);
// Throws spdlog::spdlog_ex with the reason if this is an error of write_all().
void throw_unwritten(int error);

// Opens a file to add lines to it, without waiting; -1: errno is the reason (ENXIO: a pipe without
// a reader).
int open_to_append(const std::string& path);

}  // namespace steer::ops

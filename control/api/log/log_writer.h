// One output of the log, with its queue and its thread, so that no other thread waits for a reader.
//
// push() costs a lock and a copy. The thread writes in order, waits for its reader, and says which
// lines were lost. The watchdog does not watch it: it may wait for as long as its reader does not
// read.
#pragma once

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "control/api/log/log_patience.h"
#include "control/api/log/log_queue.h"

namespace steer::ops {

struct LogReport {
    std::string name;                     // "standard output"
    std::uint64_t waiting = 0, lost = 0;  // lines; lost: since the start
    std::chrono::milliseconds blocked{};  // for how long one line has not been written
};

class LogWriter {
  public:
    // `thread`: the thread's name. Throws std::system_error if no thread can be started.
    LogWriter(std::string name, const char* thread);
    ~LogWriter();  // end()
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    // For the outputs.
    [[nodiscard]] std::shared_ptr<LogPatience> patience() const;

    // Any thread, from here on.
    void push(const spdlog::details::log_msg& message, LineKind kind);
    // Lines from now on go there (nullptr: nowhere). The earlier output has kSwitchPatience for the
    // lines before.
    void set_output(std::shared_ptr<spdlog::sinks::sink> output);
    // Waits until all lines so far are written or lost. False: not in this time.
    bool flush(std::chrono::milliseconds patience);
    // Writes what waits until `end`, and ends the thread. Later lines are lost.
    void end(LogPatience::Clock::time_point end);
    [[nodiscard]] LogReport report() const;

    static constexpr std::chrono::milliseconds kSwitchPatience{2'000};

  private:
    struct State;
    static void run(State& state);

    const std::string name_;
    // The thread's, too: it may be in a call that does not end.
    std::shared_ptr<State> state_;
};

}  // namespace steer::ops

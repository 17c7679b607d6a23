// The main thread's loop and its clock, for parts of the daemon.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string_view>

#include "control/host/process/turn_clock.h"
#include "control/part.h"
#include "dataplane/base/clock.h"

namespace steer {

class MainLoop final : public Part {
  public:
    static constexpr std::string_view kName = "main_loop";

    [[nodiscard]] boost::asio::io_context& io() { return io_; }
    [[nodiscard]] Clock& clock() const { return clock_; }
    [[nodiscard]] std::uint64_t now_ms() const { return clock_.now().ms; }
    [[nodiscard]] std::uint64_t started_ms() const { return started_ms_; }
    [[nodiscard]] static std::chrono::sys_seconds wall_time() {
        return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    }

    // Exists from the beginning of the start, so that an early SIGHUP waits for the part that
    // reloads.
    [[nodiscard]] boost::asio::signal_set& hangup() { return hangup_; }

    // Runs handlers until end_now(). A turn is one handler.
    void run() {
        turns_.begin();
        while (io_.run_one() != 0)
            turns_.end_turn();
    }
    [[nodiscard]] const TurnClock& turns() const { return turns_; }

    // Whether a signal has ended the daemon, during its start or later.
    [[nodiscard]] bool has_ended() const { return has_ended_; }
    void end_now() {
        has_ended_ = true;
        io_.stop();
    }
    // True once the start has succeeded. Stays true at the end: the cache is dumped only then.
    [[nodiscard]] bool is_serving() const { return is_serving_; }
    void set_serving(bool on) { is_serving_ = on; }
    // Whether an operator requested draining; then /readyz fails.
    [[nodiscard]] bool is_drained() const { return is_drained_; }
    void set_drained(bool on) { is_drained_ = on; }
    // After the signal: the time at which `shutdown_delay` is over.
    [[nodiscard]] std::optional<std::uint64_t> ends_ms() const { return ends_ms_; }
    void set_ends_ms(std::uint64_t at_ms) { ends_ms_ = at_ms; }
    // Whether clients are asked to use another machine.
    [[nodiscard]] bool is_draining() const { return is_drained_ || ends_ms_; }

  private:
    boost::asio::io_context io_;
    boost::asio::signal_set hangup_{io_, SIGHUP};
    TurnClock turns_;
    mutable BootClock clock_;  // a read changes nothing
    std::uint64_t started_ms_ = clock_.now().ms;
    bool has_ended_ = false, is_serving_ = false, is_drained_ = false;
    std::optional<std::uint64_t> ends_ms_;
};

}  // namespace steer

// The daemon: starts a configuration, serves it, and shuts it down.
//
// Its parts (part.h, parts.h) do all the work. start() makes them in the order of their needs,
// gives up root, and lets them serve. run() is the main thread until SIGTERM or SIGINT. The
// destructor shuts down in reverse order. The XDP program is detached with its link.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/reloader.h"
#include "matchers/result.h"

namespace steer {

class Daemon {
  public:
    // `settings`: from source.load(), without an error. `tried`: the URLs whose download was tried
    // for it.
    Daemon(config::Settings settings, ConfigSource source, std::set<std::string> tried = {});
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    Result<void> start();
    // All errors of the configuration, if they made start() fail; else empty.
    [[nodiscard]] const std::vector<Error>& configuration_errors() const { return errors_; }
    void run();
    // Whether a signal ended the daemon, in start() or run().
    [[nodiscard]] bool has_ended() const { return main_.has_ended(); }
    // Shuts everything down; waits at most kBackgroundPatience for background work. Returns false
    // if some work (reading a list, building a matcher) still runs and uses parts. Then the process
    // must end without destructors.
    bool stop();

  private:
    Result<void> start_parts();
    void await_end();
    void end_slowly();
    void poll();

    Parts parts_;
    MainLoop& main_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer polling_, ending_;
    std::vector<Error> errors_;
    bool has_stopped_ = false;
    bool is_work_left_ = false;  // background work that stop() did not wait for
};

}  // namespace steer

// Keeps a child process (child_process.h) running for its owner: starts it, reads its messages, and
// starts it again after its end, with a growing pause (restart_backoff.h).
//
// A process that is silent for too long, or sends what its owner does not understand, is ended
// first. Nothing here waits. All calls, those of the owner too, are on the thread of the
// io_context, except where it says so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "control/host/process/child_process.h"
#include "control/host/process/restart_backoff.h"
#include "matchers/result.h"

namespace steer {

// It ended by itself, or could not be started. It is started again.
struct ChildFailure {
    std::string why;
    std::chrono::milliseconds pause;  // before the next start

    // "why: effect; it is started again in 2 s"
    [[nodiscard]] std::string sentence(std::string_view effect) const;
};

class ChildOwner {
  public:
    // Whether it is started again after its end.
    [[nodiscard]] virtual bool needs_child() const = 0;
    // A run begins.
    virtual void child_began() = 0;
    // False: it is not understood. Valid during the call.
    virtual bool take_message(std::string_view message) = 0;
    // There is room again after a send() that found none.
    virtual void child_has_room() = 0;
    virtual void child_failed(const ChildFailure& failure) = 0;
    // A run is over, whatever ended it; after child_failed(). Not called for stop().
    virtual void child_ended() = 0;

  protected:
    ~ChildOwner() = default;
};

class ChildRunner {
  public:
    using Start = std::function<Result<StartedChild>()>;
    struct Settings {
        std::string name;
        std::size_t max_bytes = 0;  // of a message
        std::chrono::milliseconds most_silence{15'000};
        RestartBackoff backoff = RestartBackoff();
    };

    ChildRunner(boost::asio::io_context& io, ChildOwner& owner, Start start, Settings settings);
    ~ChildRunner();
    ChildRunner(const ChildRunner&) = delete;
    ChildRunner& operator=(const ChildRunner&) = delete;

    // Starts it, if it does not run.
    void start();
    // The same from the io_context. start() or stop() before then replaces it.
    void start_soon();
    // Closes its socket: it has 200 ms to end.
    void stop();
    // Kills it because it has no more work; it is started again at its end if its owner needs it by
    // then.
    void end(const std::string& why);
    // Ends this run; the first reason counts.
    void give_up(const std::string& why);
    // A function that ends this run because it sent, on another channel, what is not understood.
    // Any thread may call it, also later.
    [[nodiscard]] std::function<void()> not_understood();

    [[nodiscard]] bool is_running() const { return life_ != nullptr; }
    // Whether send() may find room.
    [[nodiscard]] bool has_room() const;
    // `descriptors` stay open here. False: it was not sent. Either there is no room now, or the run
    // ends.
    bool send(std::string_view message, std::span<const int> descriptors = {});

  private:
    struct Life;
    using LifePtr = std::shared_ptr<Life>;
    enum class Read : std::uint8_t { more, empty, over };

    void start_if_due();
    void restart_after(std::chrono::milliseconds lived, const std::string& why);
    template <class Then>
    auto in_this_run(Then then);
    void await_messages();
    void await_room();
    void await_end();
    void await_silence();
    Read read();
    void ended();

    boost::asio::io_context& io_;
    ChildOwner& owner_;
    Start start_;
    const std::string name_;
    const std::size_t max_bytes_;
    const std::chrono::milliseconds most_silence_;
    RestartBackoff backoff_;
    boost::asio::steady_timer restart_;
    bool is_due_ = false;  // a start is posted, or comes with restart_
    LifePtr life_;         // nullptr: it does not run
    // Outlives this object in calls that wait.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace steer

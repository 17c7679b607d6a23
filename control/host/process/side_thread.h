// Work beside the main thread, one piece after the other. The main thread gets the results.
//
// The thread starts with the first work. Its priority is lower than that of threads that answer
// queries. After the end of this object, no result is passed on, because its owner no longer
// exists. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <utility>

#include "control/host/process/background.h"
#include "control/host/process/helper_work.h"

namespace steer {

class SideThread {
  public:
    // `name`: of its work, for the watchdog.
    SideThread(boost::asio::io_context& main_io, const char* name)
        : main_io_(main_io), name_(name) {}
    ~SideThread() { stop(); }
    SideThread(const SideThread&) = delete;
    SideThread& operator=(const SideThread&) = delete;

    // Runs `work` on the thread; passes its result to `then` on the main thread.
    template <class Work, class Then>
    void run(Work work, Then then) {
        if (!thread_) {
            thread_ = std::make_unique<boost::asio::thread_pool>(1);
            boost::asio::post(*thread_, [] { run_in_background(); });
        }
        boost::asio::post(*thread_, [&main_io = main_io_, name = name_, alive = alive_,
                                     work = std::move(work), then = std::move(then)]() mutable {
            const HelperWork watched(name);
            boost::asio::post(main_io, [alive, then = std::move(then), made = work()]() mutable {
                if (*alive) then(std::move(made));
            });
        });
    }
    // Waits for running work and drops its result. The destructor does the same.
    void stop() {
        *alive_ = false;
        if (thread_) thread_->join();
    }
    // The value becomes false with stop(). For callbacks that the main thread may call later.
    [[nodiscard]] std::shared_ptr<const bool> alive() const { return alive_; }

  private:
    boost::asio::io_context& main_io_;
    const char* name_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<boost::asio::thread_pool> thread_;
};

}  // namespace steer

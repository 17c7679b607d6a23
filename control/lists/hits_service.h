// Counts over the control socket what is asked, and which rules hold for it: `hits`, with {"seconds": 10, "top": 20}.
//
// For so long workers hand over queries as they come (dataplane/stages/sample.h): every one, or one in so many where they come
// faster than they are read here. The answer: what HitCounts says, "seconds", "rules_that_hold", and "rules": what
// holding_rules() says, the most asked first. One count at a time. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "control/lists/hit_counts.h"
#include "control/ops/methods.h"
#include "control/process/background.h"
#include "control/reload/reloader.h"
#include "control/runtime/dataplane_runtime.h"

namespace steer {

class HitsService {
  public:
    HitsService(boost::asio::io_context& main_io, ConfigSource source);
    ~HitsService();
    HitsService(const HitsService&) = delete;
    HitsService& operator=(const HitsService&) = delete;

    // `runtime` outlives it.
    void add_methods(ops::Methods& methods, DataplaneRuntime& runtime);

  private:
    struct Count {
        HitCounts hits;
        unsigned seconds;
        std::size_t top;
        std::chrono::steady_clock::time_point end;
        ops::RpcDone done;
    };

    void begin(const ops::Arguments& asked, const ops::RpcDone& done);
    void look();
    void take_samples();
    void finish();

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    DataplaneRuntime* runtime_ = nullptr;  // until add_methods()
    boost::asio::steady_timer timer_;
    std::unique_ptr<Count> count_;  // nullptr: nobody wants one
    std::uint64_t lost_before_ = 0;
    BackgroundThread thread_{"hits"};
};

}  // namespace steer

// Counts queries and the rules that match them, over the control socket: `hits`, with {"seconds": 10, "top": 20}.
//
// During that time workers send samples of queries (dataplane/stages/sample.h): every query, or one in N if there are more
// than can be read here. The result: HitCounts', "seconds", "rules_that_hold", and "rules": from
// holding_rules(), the most frequent first. One count at a time. Lives on the main thread.
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
    std::unique_ptr<Count> count_;  // nullptr: no count is running
    std::uint64_t lost_before_ = 0;
    BackgroundThread thread_{"hits"};
};

}  // namespace steer

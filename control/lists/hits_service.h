// Counts queries and the rules that match them, over the control socket: `hits`, with {"seconds": 10, "top": 20}.
//
// During that time it takes the workers' query records (QueryRecordFeed): of every query, or of one in N if there are
// more than can be read here. The result: HitCounts', "seconds", "rules_that_hold", and "rules": from holding_rules(), the
// most frequent first. One count at a time. Lives on the main thread; records may come on the feed's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>

#include "control/lists/hit_counts.h"
#include "control/ops/methods.h"
#include "control/process/background.h"
#include "control/reload/reloader.h"
#include "control/runtime/query_record_feed.h"

namespace steer {

class HitsService {
  public:
    HitsService(boost::asio::io_context& main_io, ConfigSource source);
    ~HitsService();
    HitsService(const HitsService&) = delete;
    HitsService& operator=(const HitsService&) = delete;

    // `records` outlives it.
    void add_methods(ops::Methods& methods, QueryRecordFeed& records);

  private:
    struct Count {
        HitCounts hits;
        unsigned seconds;
        std::size_t top;
        std::chrono::steady_clock::time_point end;
        ops::RpcDone done;
        std::string client, name;  // that were asked for
    };

    void begin(const ops::Arguments& asked, const ops::RpcDone& done);
    void look();
    void wish(std::uint32_t one_in);
    void finish();
    std::unique_ptr<Count> take_count();

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    QueryRecordFeed* records_ = nullptr;  // until add_methods()
    unsigned taker_ = 0;                  // of `records_`
    boost::asio::steady_timer timer_;
    std::mutex mutex_;              // of count_, which records come to from another thread
    std::unique_ptr<Count> count_;  // nullptr: no count is running
    std::uint64_t lost_before_ = 0;
    std::uint32_t one_in_ = 0;  // wished for
    BackgroundThread thread_{"hits"};
};

}  // namespace steer

// Counts queries and the rules that match them, over the control socket: `hits`, with {"seconds": 10, "top": 20}.
//
// During that time it takes the workers' query records (QueryRecordFeed): of every query, or of one in N if there are
// more than can be read here. The result: HitCounts', "seconds", "rules_that_hold", and "rules": from holding_rules(), the
// most frequent first. Up to kMostCounts at a time, each with its own time and result, so `steerctl top` and `steerctl
// hits` do not hinder each other. Lives on the main thread; records may come on the feed's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/host/process/background.h"
#include "control/observe/lists/hit_counts.h"
#include "control/program/reload/reloader.h"
#include "control/runtime/query_record_feed.h"

namespace steer {

class HitsService {
  public:
    static constexpr std::size_t kMostCounts = 8;

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
        std::uint64_t lost_before = 0;
    };

    void begin(const ops::Arguments& asked, const ops::RpcDone& done);
    void look();
    void wish(std::uint32_t one_in);
    void find_rules();

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    QueryRecordFeed* records_ = nullptr;  // until add_methods()
    unsigned taker_ = 0;                  // of `records_`
    boost::asio::steady_timer timer_;
    std::mutex mutex_;  // of counts_ and its counts, which records come to from another thread
    std::vector<std::unique_ptr<Count>> counts_;  // running
    std::deque<std::unique_ptr<Count>> counted_;  // the first one's rules are looked for
    std::uint32_t one_in_ = 0;                    // wished for
    BackgroundThread thread_{"hits"};
};

}  // namespace steer

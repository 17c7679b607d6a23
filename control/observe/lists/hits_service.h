// Counts queries and the matching rules for the control socket: `hits`, with {"seconds": 10, "top":
// 20}.
//
// During that time it takes the workers' query records (QueryRecordFeed): of every query, or of one
// in N if there are too many to read here. The result has HitCounts', "seconds", "rules_that_hold",
// and "rules" from holding_rules(), the most frequent first. Up to kMostCounts run at a time, each
// with its own time and result, so `steerctl top` and `steerctl hits` may run together. Lives on
// the main thread; the feed's thread may pass records.
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

    // `records` must outlive it.
    void add_methods(ops::Methods& methods, QueryRecordFeed& records);

  private:
    struct Count {
        HitCounts hits;
        unsigned seconds;
        std::size_t top;
        std::chrono::steady_clock::time_point end;
        ops::RpcDone done;
        std::string client, name;  // from the request
        std::uint64_t lost_before = 0;
    };

    void begin(const ops::Arguments& asked, const ops::RpcDone& done);
    void poll();
    void wish(std::uint32_t one_in);
    void find_rules();
    [[nodiscard]] ops::RpcResult answer_to(const Count& count) const;

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    QueryRecordFeed* records_ = nullptr;  // until add_methods()
    unsigned taker_ = 0;                  // of `records_`
    boost::asio::steady_timer timer_;
    std::mutex mutex_;  // protects counts_ and its counts, which another thread's records change
    std::vector<std::unique_ptr<Count>> counts_;  // running
    std::deque<std::unique_ptr<Count>> counted_;  // a search for the rules of the first one runs
    std::uint32_t one_in_ = 0;                    // requested
    BackgroundThread thread_{"hits"};
};

}  // namespace steer

// What control does with the cache while workers serve from it: dumps now and then, flushes, looks.
//
// One thread, one job at a time, in the order in which they were asked for; results come back on the main thread. A
// flush is found here and dropped by the cache writer, a few entries in a turn; it is done when no worker can answer with what
// was flushed. All functions are the main thread's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/cache/dump.h"
#include "control/runtime/dataplane_runtime.h"
#include "dataplane/base/clock.h"
#include "matchers/result.h"

namespace steer {

// One cache of the configuration.
struct CacheOf {
    std::uint16_t instance = 0;
    std::string tag;
    std::string dump_file;  // empty: none
    std::chrono::milliseconds dump_interval{600'000};
};

// An answer that is held, as it was when it was looked at.
struct HeldAnswer {
    std::uint16_t instance = 0, qtype = 0, qclass = 0;
    std::uint8_t flags = 0;
    std::uint32_t age_s = 0, bytes = 0;  // bytes: of its slot
    std::int32_t left_s = 0, usable_s = 0;
    bool visited = false;
    std::vector<std::uint8_t> name, subnet;
    std::vector<ListId> lists;
    std::vector<std::uint8_t> answer;  // a dns::Answer
};

class CacheService {
  public:
    using Filter = std::function<bool(const cache::Entry&)>;
    using Counted = std::function<void(Result<std::uint64_t>)>;
    using Say = std::function<void(bool warning, const std::string&)>;

    // How an instance's dump is doing.
    struct DumpState {
        std::uint64_t restored = 0, dumped = 0, failed = 0;  // answers, answers of the last, dumps
        std::uint64_t at_ms = 0;                             // of the last; 0: none yet
        std::uint64_t changes_then = 0;
        bool is_under_way = false;
    };

    // `runtime` has a cache and outlives this. `lists`: by ListId.
    CacheService(boost::asio::io_context& main_io, DataplaneRuntime& runtime, Clock& clock,
                 std::vector<CacheOf> caches, std::vector<ListName> lists, Say say);
    ~CacheService();
    CacheService(const CacheService&) = delete;
    CacheService& operator=(const CacheService&) = delete;

    // Before the workers run: what the dumps hold.
    void restore();
    // The thread, and each instance's timer.
    void start();
    // Ends the thread; a flush that is under way ends as an error. Before the workers end.
    void stop();
    // After the workers have ended: what changed since the last dump.
    void dump_at_end();

    // A reload: these caches and lists from now on. One that is no longer configured is not dumped any more.
    void follow(std::vector<CacheOf> caches, std::vector<ListName> lists);

    // How many entries were dropped. At most kMostJobs wait; then an Error.
    void flush(Filter filter, const Counted& done);
    // How many answers were written.
    void dump(std::uint16_t instance, std::string path, const Counted& done);
    // What a dump of that instance holds, but for what the cache has as young. A few answers a turn of the cache writer's.
    void restore_from(std::uint16_t instance, std::string path,
                      const std::function<void(Result<Restored>)>& done);
    // What is held and passes the filter: of all types, instances, subnets; `most` of them, in no order.
    void show(Filter filter, std::size_t most,
              const std::function<void(std::vector<HeldAnswer>)>& done);

    [[nodiscard]] const std::vector<CacheOf>& caches() const { return caches_; }
    [[nodiscard]] const std::vector<ListName>& lists() const { return lists_; }
    [[nodiscard]] const DumpState& dump_state(std::size_t i) const { return states_[i]; }

  private:
    static constexpr std::size_t kMostJobs = 16;

    bool post(std::function<void()> job);
    void run();
    Result<std::uint64_t> flush_now(const Filter& filter);
    // True when the cache writer has dropped what it was asked to. False: we are ending.
    bool wait_for_cache_writer();
    [[nodiscard]] std::size_t place_of(std::uint16_t instance) const;
    void arm(std::size_t i);
    void dump_if_changed(std::size_t i);
    void note_dump(std::size_t i, std::uint64_t changes, const Result<std::uint64_t>& answers);
    [[nodiscard]] std::uint64_t changes(std::size_t i) const;
    [[nodiscard]] DumpScope scope(std::size_t i) const;

    boost::asio::io_context& main_io_;
    DataplaneRuntime& runtime_;
    Clock& clock_;
    cache::Cache& cache_;
    std::vector<CacheOf> caches_;  // that were ever configured
    std::vector<ListName> lists_;
    const Say say_;
    std::vector<DumpState> states_;                 // by place in caches_
    std::deque<boost::asio::steady_timer> timers_;  // the same

    std::mutex mutex_;  // of what follows
    std::condition_variable wanted_;
    std::deque<std::function<void()>> jobs_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace steer

// Control's work on the cache while workers use it: periodic dumps, flushes, lookups.
//
// One thread runs one job at a time, in the order of requests. The main thread gets the results. A
// flush finds entries here, and the cache writers drop them, a few per turn. A flush ends when no
// worker can answer with a flushed entry. All functions are called on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control/cache/dump.h"
#include "control/runtime/dataplane_runtime.h"
#include "dataplane/base/clock.h"
#include "dataplane/cache/walk.h"
#include "matchers/result.h"

namespace steer {

// One cache of the configuration.
struct CacheOf {
    std::uint16_t instance = 0;
    std::string tag;
    std::string dump_file;  // empty: none
    std::chrono::milliseconds dump_interval{600'000};
};

// A cached answer at the time of the lookup.
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

struct HeldAnswers {
    std::vector<HeldAnswer> answers;
    std::optional<cache::WalkPlace> next;  // of the first answer that had no room
};

class CacheService {
  public:
    using Filter = std::function<bool(const cache::Entry&)>;
    using Counted = std::function<void(Result<std::uint64_t>)>;
    using Say = std::function<void(bool warning, const std::string&)>;

    // The state of an instance's dump.
    struct DumpState {
        // Restored answers, answers of the last dump, failed dumps.
        std::uint64_t restored = 0, dumped = 0, failed = 0;
        std::uint64_t at_ms = 0;  // time of the last dump; 0: none yet
        std::uint64_t changes_then = 0;
        std::uint64_t written_ms = 0;  // time of the file since 1970, also of an earlier process
        bool is_in_progress = false;
        std::string error{};  // error of the last dump; empty: it succeeded
    };

    // `runtime` must have a cache and outlive this object. `lists`: by ListId.
    CacheService(boost::asio::io_context& main_io, DataplaneRuntime& runtime, Clock& clock,
                 std::vector<CacheOf> caches, std::vector<ListName> lists, Say say);
    ~CacheService();
    CacheService(const CacheService&) = delete;
    CacheService& operator=(const CacheService&) = delete;

    // Restores the dumps. Call it before the workers run.
    void restore();
    // Starts the thread and each instance's timer.
    void start();
    // Ends the thread; a running flush ends with an error. Call it before the workers end.
    void stop();
    // Writes a final dump of changes. Call it after the workers have ended.
    void dump_at_end();

    // At a reload: uses these caches and lists. A cache that is no longer configured is no longer
    // dumped.
    void follow(std::vector<CacheOf> caches, std::vector<ListName> lists);

    // Returns the number of dropped entries. At most kMaxJobs jobs wait; a further one is an Error.
    void flush(Filter filter, const Counted& done);
    // Returns the number of written answers.
    void dump(std::uint16_t instance, std::string path, const Counted& done);
    // Restores a dump of that instance, a few answers per turn of a cache writer. Skips an answer
    // if the cached one is as young or younger.
    void restore_from(std::uint16_t instance, std::string path,
                      const std::function<void(Result<Restored>)>& done);
    // A page of the cached answers that pass the filter, of all types, instances and subnets: at
    // most `most`, and kMostHeld bytes with a last one above. In the order of their memory.
    void show(Filter filter, cache::WalkPlace from, std::size_t most,
              const std::function<void(Result<HeldAnswers>)>& done);

    [[nodiscard]] const std::vector<CacheOf>& caches() const { return caches_; }
    [[nodiscard]] const std::vector<ListName>& lists() const { return lists_; }
    // Failed dumps without a later success, for `problems` of `status`.
    [[nodiscard]] std::vector<std::string> problems() const;
    [[nodiscard]] const DumpState& dump_state(std::size_t i) const { return states_[i]; }

  private:
    static constexpr std::size_t kMaxJobs = 16;
    // As text, a byte of rdata can have five, as in "\\003".
    static constexpr std::size_t kMostHeld = std::size_t{128} << 10;

    bool post(std::function<void()> job);
    [[nodiscard]] HeldAnswers page_of(const Filter& filter, cache::WalkPlace from,
                                      std::size_t most) const;
    bool hold(const cache::Entry& entry, std::size_t most, HeldAnswers& page,
              std::size_t& bytes) const;
    void run();
    Result<std::uint64_t> flush_now(const Filter& filter);
    // Waits until the entries are dropped. Returns false if the service is stopping.
    bool wait_for_cache_writers();
    void wake_cache_writers();
    [[nodiscard]] std::size_t place_of(std::uint16_t instance) const;
    void begin_dumps(std::size_t i);
    void arm(std::size_t i);
    void dump_if_changed(std::size_t i);
    void note_dump(std::size_t i, std::uint64_t changes, const Result<std::uint64_t>& answers);
    [[nodiscard]] std::uint64_t changes(std::size_t i) const;
    [[nodiscard]] DumpScope scope(std::size_t i) const;

    boost::asio::io_context& main_io_;
    DataplaneRuntime& runtime_;
    Clock& clock_;
    cache::Cache& cache_;
    std::vector<CacheOf> caches_;  // all caches that were ever configured
    std::vector<ListName> lists_;
    const Say say_;
    std::vector<DumpState> states_;                 // by index in caches_
    std::deque<boost::asio::steady_timer> timers_;  // the same

    std::mutex mutex_;  // protects the following members
    std::condition_variable wanted_;
    std::deque<std::function<void()>> jobs_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace steer

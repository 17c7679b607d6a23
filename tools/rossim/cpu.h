// The router's CPU: sentences in progress, served round robin in slices of at most 5 ms.
//
// A job states the minimum of CPU time that it still needs. At the end of a slice it receives the
// CPU time used, and does the work that this time covers. Nothing here waits: the caller calls
// run_slice() at slice_end_us().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/rossim/report.h"

namespace rossim {

class Job {
  public:
    std::uint64_t session = 0;
    std::optional<std::string> tag;
    CpuClass cpu_class = CpuClass::other;
    bool started = false;  // has had CPU time

    virtual ~Job() = default;
    virtual std::int64_t wants_us() const = 0;
    // Does `cpu_us` of work at `now_us`. Returns true if the sentence is complete.
    virtual bool work(std::int64_t cpu_us, std::int64_t now_us) = 0;
    // Returns whether the job continues after its client disconnects.
    virtual bool outlives_session() const { return false; }
};

class Cpu {
  public:
    static constexpr std::int64_t kSliceUs = 5000;

    // With a seed other than 0, any tagged sentence may be next, not only the one that has waited
    // longest.
    explicit Cpu(std::uint64_t shuffle_seed = 0) : random_(shuffle_seed) {}

    void push(std::unique_ptr<Job> job, std::int64_t now_us);
    // Returns nothing if idle or paused.
    std::optional<std::int64_t> slice_end_us() const;
    void run_slice();

    // Removes jobs; a removed job that has the CPU releases it at `now_us`.
    void remove_if(const std::function<bool(const Job&)>& condition, std::int64_t now_us);
    void pause(std::int64_t now_us);
    void resume(std::int64_t now_us);

    bool idle() const { return jobs_.empty(); }
    std::int64_t idle_since_us() const { return idle_since_us_; }
    // CPU times since construction or forget_busy().
    const CpuTimes& busy_us() const { return busy_us_; }
    void forget_busy() { busy_us_ = {}; }
    // Busy share of the second before `now_us`, in percent.
    int load_percent(std::int64_t now_us) const;

  private:
    struct Interval {
        std::int64_t begin_us;
        std::int64_t end_us;
    };

    void begin_slice(std::int64_t now_us);
    void choose_next();
    void note_busy(std::int64_t begin_us, std::int64_t end_us);

    std::deque<std::unique_ptr<Job>> jobs_;  // the front has the CPU
    std::int64_t begin_us_ = 0;
    std::int64_t end_us_ = 0;
    std::int64_t idle_since_us_ = 0;
    std::optional<std::int64_t> paused_left_us_;
    CpuClass cpu_class_ = CpuClass::other;  // of the job that has the CPU
    bool working_ = false;
    std::uint64_t random_;
    std::deque<Interval> busy_;
    CpuTimes busy_us_{};
};

}  // namespace rossim

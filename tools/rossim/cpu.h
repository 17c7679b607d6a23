// The router's CPU: the sentences in progress, served round robin in slices of at most 5 ms.
//
// A job says how much CPU it still wants at least; at the end of each slice it is given what it got
// and does what it paid for. Nothing here waits: run_slice() is called at slice_end_us().
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
    bool started = false;  // had CPU time

    virtual ~Job() = default;
    virtual std::int64_t wants_us() const = 0;
    // `cpu_us` of work are done at `now_us`; true: the sentence is over.
    virtual bool work(std::int64_t cpu_us, std::int64_t now_us) = 0;
    // Continues after its client disconnects.
    virtual bool outlives_session() const { return false; }
};

class Cpu {
  public:
    static constexpr std::int64_t kSliceUs = 5000;

    // A seed that is not 0: any tagged sentence may be next, not the one that waits longest.
    explicit Cpu(std::uint64_t shuffle_seed = 0) : random_(shuffle_seed) {}

    void push(std::unique_ptr<Job> job, std::int64_t now_us);
    // None: idle or paused.
    std::optional<std::int64_t> slice_end_us() const;
    void run_slice();

    // Takes jobs away; the one that has the CPU gives it up at `now_us`.
    void remove_if(const std::function<bool(const Job&)>& condition, std::int64_t now_us);
    void pause(std::int64_t now_us);
    void resume(std::int64_t now_us);

    bool idle() const { return jobs_.empty(); }
    std::int64_t idle_since_us() const { return idle_since_us_; }
    // Since it was made or forget_busy().
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

// One query_recorder at work: which queries it takes, what it hides of their clients, and its sinks.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/observe/recorder/dnstap_sink.h"
#include "control/observe/recorder/file_threads.h"
#include "control/observe/recorder/json_line.h"
#include "control/observe/recorder/recorded_query.h"

namespace steer::recorder {

struct RecordingPlan {
    std::string tag;
    std::uint32_t entries = 0;  // bits: Settings::entries whose executor runs it, directly or not
    config::QueryRecorder settings;
    std::uint64_t include = 0, exclude = 0;  // bits of its include_marks and exclude_marks
    bool operator==(const RecordingPlan&) const = default;
};
// The bits of marks in RecordedQuery::marks. Those that any query_recorder names are the same after a reload.
using MarkBits = std::map<std::uint32_t, std::uint8_t>;
// Those that any server runs.
std::vector<RecordingPlan> recording_plans(const config::Settings& settings,
                                           const MarkBits& marks = {});

class Recording {
  public:
    static constexpr std::size_t kJsonBatch = std::size_t{64} << 10;  // bytes

    Recording(RecordingPlan plan, WallClock now, Warn warn);
    // Takes the sinks with unchanged settings from `old`, which ends.
    Recording(RecordingPlan plan, WallClock now, Warn warn, Recording& old);

    // `query` has no client_text; its name, if any, is in presentation form.
    void take(const RecordedQuery& query);
    // For queries that are shown and not stored: whether its client or its marks exclude it, and its address with the masks.
    [[nodiscard]] bool is_excepted(const RecordedQuery& query) const;
    void mask(RecordedQuery& query) const;
    // Gives sinks what waited for flush_interval_ms, or all.
    void hand_over(std::int64_t now_us, bool all);
    // Waits until what was handed over is written.
    bool flush(std::chrono::milliseconds patience);

    [[nodiscard]] const RecordingPlan& plan() const { return plan_; }
    struct Status {
        std::string tag;
        std::uint64_t taken;
        std::uint64_t skipped;   // queries that except_clients names
        std::uint64_t unmarked;  // ... that include_marks or exclude_marks leave out
        std::uint32_t one_in;
        std::vector<SinkStatus> sinks;
    };
    [[nodiscard]] Status status() const;
    [[nodiscard]] bool wants_messages() const { return tap_ != nullptr; }

  private:
    void open(Recording* old);
    bool is_sampled(RecordedQuery& query);
    [[nodiscard]] bool is_of_excepted_client(const RecordedQuery& query) const;
    [[nodiscard]] bool has_wanted_marks(const RecordedQuery& query) const;
    [[nodiscard]] bool is_ours(const RecordedQuery& query) const {
        return (plan_.entries >> (query.entry & 31U) & 1U) != 0;
    }

    const RecordingPlan plan_;
    WallClock now_;
    Warn warn_;
    matchers::PrefixSet except_;
    std::uint64_t random_ = 0x9e3779b97f4a7c15;
    std::unique_ptr<DatabaseThread> database_;
    std::unique_ptr<JsonThread> json_;
    std::unique_ptr<DnstapSink> tap_;
    RowBatch rows_;
    TextBatch lines_;
    JsonLine json_line_;
    std::vector<std::uint8_t> query_copy_, response_copy_;
    std::int64_t handed_us_ = 0;
    std::uint64_t taken_ = 0, skipped_ = 0, unmarked_ = 0;
};

}  // namespace steer::recorder

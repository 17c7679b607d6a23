// One running query_recorder: the queries that it takes, the client data that it hides, and its
// sinks.
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
    std::uint32_t entries = 0;  // bits: Settings::entries that run it, directly or not
    config::QueryRecorder settings;
    std::uint64_t include = 0, exclude = 0;  // bits of its include_marks and exclude_marks
    bool operator==(const RecordingPlan&) const = default;
};
// The bits of marks in RecordedQuery::marks. Marks that a query_recorder names keep their bits at a
// reload.
using MarkBits = std::map<std::uint32_t, std::uint8_t>;
// The plans of all query_recorders that a server runs.
std::vector<RecordingPlan> recording_plans(const config::Settings& settings,
                                           const MarkBits& marks = {});

class Recording {
  public:
    static constexpr std::size_t kJsonBatch = std::size_t{64} << 10;  // bytes

    Recording(RecordingPlan plan, WallClock now, Warn warn);
    // Takes over the sinks with unchanged settings from `old`, which ends.
    Recording(RecordingPlan plan, WallClock now, Warn warn, Recording& old);

    // `query` has no client_text; its name, if it has one, is in presentation form.
    void take(const RecordedQuery& query);
    // For queries that are shown and not stored: whether its client or its marks exclude the query,
    // and its address after the masks.
    [[nodiscard]] bool is_excepted(const RecordedQuery& query) const;
    void mask(RecordedQuery& query) const;
    // Records of queries are lost, perhaps of its own.
    void note_lost(std::uint32_t queries);
    // Passes data that waited for flush_interval_ms, or all data, to the sinks.
    void hand_over(std::int64_t now_us, bool all);
    // Waits until the data that was passed on is written.
    bool flush(std::chrono::milliseconds patience);

    [[nodiscard]] const RecordingPlan& plan() const { return plan_; }
    struct Status {
        std::string tag;
        std::uint64_t taken;
        std::uint64_t skipped;   // queries of clients in except_clients
        std::uint64_t unmarked;  // queries without include_marks or with exclude_marks
        std::uint32_t one_in;
        bool masks_clients;  // of both families
        std::vector<SinkStatus> sinks;
    };
    [[nodiscard]] Status status() const;
    [[nodiscard]] bool wants_messages() const { return tap_ != nullptr; }

  private:
    void open(Recording* old);
    static void push(TextBatch& lines, JsonThread& to);
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
    std::unique_ptr<JsonThread> json_, hits_;
    std::unique_ptr<DnstapSink> tap_;
    RowBatch rows_;
    TextBatch lines_, hit_lines_;
    JsonLine json_line_;
    std::vector<std::uint8_t> query_copy_, response_copy_;
    std::int64_t handed_us_ = 0;
    std::uint64_t taken_ = 0, skipped_ = 0, unmarked_ = 0;
};

}  // namespace steer::recorder

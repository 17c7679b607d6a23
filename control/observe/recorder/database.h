// The history of queries in a SQLite database: tables, writing, retention.
//
// There is one writer. Readers have their own connections (history.h), which WAL permits. A query
// is a row of `queries`. Its id is its time in microseconds since 1970 (a few more if that id is in
// use), so time needs no index. Repeated words are numbers of `words`. `totals`, `tops` and
// `latencies` have sums by minute and hour; past hours are added to days. `marks` says up to where:
// `rolled` is the
// first hour that no day has, `minutes` the first minute that still has personal keys. The view
// `history` shows all of it as text.
//
// For one writing thread. Does not throw; each error is reported once, and counted.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "control/config/settings/recorder_settings.h"
#include "control/observe/recorder/row_batch.h"
#include "control/observe/recorder/sqlite.h"
#include "control/observe/recorder/sums.h"

namespace steer::recorder {

inline constexpr std::int64_t kApplicationId = 0x53445152;  // "SDQR": marks our files
inline constexpr int kSchema = 5;                           // of this version

// The statements that convert an older schema to the next one; 0: create it.
std::string_view schema_step(int from);

class Database {
  public:
    static constexpr std::int64_t kRetryS = 5;  // between attempts to open it
    static constexpr std::int64_t kSumsEveryS = 10;
    static constexpr std::int64_t kMostDeleted = 20'000;  // rows per turn
    // Minutes keep names and clients for a day and two hours; then hours have them.
    static constexpr std::int64_t kPersonalMinutesS = std::int64_t{26} * 3600;
    // Sums by day without names and clients are kept at least this long.
    static constexpr std::int64_t kSumsDays = 90;
    static constexpr std::int64_t kRollAfterS = 120;  // after its end, an hour is added to its day
    using Warn = std::function<void(const std::string&)>;

    Database(config::QueryRecorder settings, Warn warn);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    enum class Wrote : std::uint8_t { yes, later, lost };
    // Writes a batch in one transaction. later: another program has locked the database; try the
    // same batch again.
    Wrote write(const RowBatch& batch, std::int64_t now_us);
    // Adds the sums in memory to the database. Returns false if it is locked or closed; then they
    // stay.
    bool flush_sums(std::int64_t now_us);
    // Does the work that is due: writes sums, and deletes a part of the rows that are too old or
    // too many.
    void tidy(std::int64_t now_us);

    [[nodiscard]] std::uint64_t written() const { return written_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] std::uint64_t removed() const { return removed_; }
    [[nodiscard]] const std::string& error() const { return error_; }

  private:
    bool open(std::int64_t now_us);
    bool prepare();
    int migrate();
    bool set_aside(const std::string& why, std::int64_t now_us);
    void fail(std::string what, std::int64_t now_us, bool closes);
    void close();
    void well();
    Wrote give_up(int code, std::int64_t now_us);
    int insert(const RowBatch& batch, const Row& row);
    int put_sums();
    // The number of a word; 0: unknown, and not stored.
    std::int64_t word(std::string_view text);
    void remove_old(std::int64_t now_us);
    void remove_old_sums(std::int64_t now_us);
    // Adds the first past hour that no day has to its day.
    void roll_hour(std::int64_t now_us);
    bool trim(std::int64_t span, std::int64_t start);
    [[nodiscard]] std::int64_t mark(const char* name) const;
    bool set_mark(const char* name, std::int64_t value);

    const config::QueryRecorder settings_;
    Warn warn_;
    Connection db_;
    Statement begin_, commit_, insert_, find_word_, add_word_, add_totals_, add_top_, add_latency_;
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    boost::unordered_flat_map<std::string, std::int64_t, Hash, std::equal_to<>> words_;
    // The word that each column got last: most rows repeat it.
    struct Repeated {
        std::string word;
        std::int64_t id = 0;
    };
    static constexpr std::size_t kColumns = 27;
    std::array<Repeated, kColumns + 1> repeated_;  // by parameter of insert_
    void bind_word(int at, std::string_view text);
    void forget_words();
    Sums sums_;
    std::int64_t last_id_ = 0;
    std::int64_t retry_us_ = 0, sums_us_ = 0, cleaned_us_ = 0, cleaned_sums_us_ = 0;
    std::int64_t rolled_s_ = 0;  // the mark `rolled`
    std::uint64_t written_ = 0, bytes_ = 0, removed_ = 0;
    std::string error_;
};

}  // namespace steer::recorder

#include "control/observe/recorder/history.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include "control/api/log/mnemonics.h"
#include "control/observe/recorder/database.h"
#include "control/observe/recorder/json_line.h"
#include "control/observe/recorder/sqlite.h"
#include "matchers/quote.h"

namespace steer::recorder {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using Clock = std::chrono::steady_clock;

constexpr int kStepsBetweenChecks = 20'000;  // of SQLite's machine
constexpr int kReadLockPatienceMs = 500;
constexpr std::int64_t kWantedBuckets = 100;

Error unreadable(const std::string& path, const std::string& why) {
    return Error{"the database " + matchers::quoted_path(path) + " cannot be read: " + why +
                 "; see 'steerctl recorder'"};
}

class Reader {
  public:
    explicit Reader(std::string path) : path_(std::move(path)) {}

    Result<void> open(std::chrono::milliseconds patience = kReadPatience) {
        if (db_.open(path_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW) != SQLITE_OK)
            return unreadable(path_, db_.error());
        sqlite3_busy_timeout(db_.get(), kReadLockPatienceMs);
        if (db_.number("PRAGMA application_id", 0) != kApplicationId ||
            db_.number("PRAGMA user_version", 0) != kSchema)
            return unreadable(path_, "it is not a history of this version of steerdnsd");
        end_ = Clock::now() + patience;
        sqlite3_progress_handler(
            db_.get(), kStepsBetweenChecks,
            [](void* end) { return Clock::now() > *static_cast<Clock::time_point*>(end) ? 1 : 0; },
            &end_);
        return {};
    }
    Result<Statement> prepare(const std::string& sql) {
        Statement statement = db_.prepare(sql);
        if (!statement) return unreadable(path_, db_.error());
        return statement;
    }
    [[nodiscard]] std::int64_t mark(const char* name) {
        Statement statement = db_.prepare("SELECT value FROM marks WHERE name = ?1");
        if (!statement) return 0;
        statement.bind(1, std::string_view(name));
        return statement.step() == SQLITE_ROW ? statement.number(0) : 0;
    }
    [[nodiscard]] Connection& db() { return db_; }
    [[nodiscard]] Error error() const { return unreadable(path_, db_.error()); }

  private:
    const std::string path_;
    Connection db_;
    Clock::time_point end_;
};

using Words = std::map<std::int64_t, std::string>;

std::optional<std::uint16_t> number_of_type(const std::string& name) {
    for (unsigned type = 1; type < 0x10000; ++type) {
        if (ops::type_name(static_cast<std::uint16_t>(type)) == name)
            return static_cast<std::uint16_t>(type);
    }
    return std::nullopt;
}

std::optional<std::uint16_t> number_of_rcode(const std::string& name) {
    for (unsigned rcode = 0; rcode < 0x1000; ++rcode) {
        if (ops::rcode_name(static_cast<std::uint16_t>(rcode)) == name)
            return static_cast<std::uint16_t>(rcode);
    }
    return std::nullopt;
}

bool is_selected(const HistoryFilter& filter, const IpAddress& client) {
    if (filter.client &&
        matchers::Prefix::masked(client, filter.client->length).address != filter.client->address)
        return false;
    return !filter.is_member || filter.is_member(client);
}

// steer_client(client): whether the address is in the filter's prefix and group.
void is_client(sqlite3_context* context, int, sqlite3_value** values) {
    const auto& filter = *static_cast<const HistoryFilter*>(sqlite3_user_data(context));
    const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
    const auto address = IpAddress::parse(text == nullptr ? "" : text);
    sqlite3_result_int(context, address && is_selected(filter, *address) ? 1 : 0);
}

// steer_seen(id): always 1. Keeps the id of the row that is compared now, so that a search that is
// interrupted can go on there. It is the first term of the condition; SQLite evaluates terms that
// need the same row in their order.
void note_seen(sqlite3_context* context, int, sqlite3_value** values) {
    *static_cast<std::int64_t*>(sqlite3_user_data(context)) = sqlite3_value_int64(values[0]);
    sqlite3_result_int(context, 1);
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

object query_of(const Statement& row, const Words& words, bool shows_decisions) {
    const auto word = [&](int at) -> std::string {
        const auto known = words.find(row.number(at));
        return known == words.end() ? std::string{} : known->second;
    };
    object query{{"time", time_text(row.number(0))},
                 {"time_us", row.number(0)},
                 {"client", row.text(1)},
                 {"client_port", row.number(2)},
                 {"transport", word(3)}};
    if (!row.is_null(20)) query["server"] = word(20);
    if (!row.is_null(4)) {
        query["name"] = row.text(4);
        query["type"] = ops::type_name(static_cast<std::uint16_t>(row.number(5)));
        if (row.number(6) != 1)
            query["class"] = ops::class_name(static_cast<std::uint16_t>(row.number(6)));
    }
    query["end"] = word(7);
    query["path"] = word(8);
    int at = 21;
    for (const char* const key : {"decision", "plugin", "list", "rule"}) {
        if (shows_decisions && !row.is_null(at)) query[key] = word(at);
        ++at;
    }
    if (shows_decisions && !row.is_null(25)) {
        query["line"] = row.number(25);
        query["list_rule"] = row.text(26);
    }
    if (!row.is_null(9))
        query["rcode"] = ops::rcode_name(static_cast<std::uint16_t>(row.number(9)));
    const auto ede = static_cast<std::uint64_t>(row.is_null(10) ? kNoError : row.number(10));
    const bool is_hidden = !shows_decisions && shows_block(ede);
    if (ede != kNoError && !is_hidden) query["ede"] = ede;
    if (!row.is_null(19) && !is_hidden) query["answers"] = row.text(19);
    if (!row.is_null(11)) query["upstream"] = word(11);
    query["entry"] = word(12);
    query["duration_us"] = row.number(13);
    query["query_size"] = row.number(15);
    query["response_size"] = row.number(16);
    query["worker"] = row.number(17);
    query["stands_for"] = row.number(14);
    if (!row.is_null(18)) query["trace"] = trace_text(static_cast<std::uint64_t>(row.number(18)));
    return query;
}

constexpr std::string_view kHistoryColumns =
    R"(SELECT id, client, client_port, transport, name, type, class, end, path, rcode, ede,
upstream, entry, duration_us, stands_for, query_size, response_size, worker, trace, answers,
server, decision, plugin, list, rule, list_line, list_rule FROM queries
WHERE id >= ?1 AND id < ?2 AND steer_seen(id))";

// One search: its words, its statement, and the last row that it read.
class Search {
  public:
    Search(Reader& reader, const HistoryFilter& filter)
        : reader_(reader),
          filter_(filter),
          below_("." + filter.suffix),
          client_(filter.client ? filter.client->address.to_string() : std::string()),
          is_ascending_(filter.after_us.has_value()) {}

    Result<value> run() {
        if (auto done = make_ready(); !done) return done.error();
        std::vector<HistoryFilter::Range> ranges = filter_.ranges;
        if (ranges.empty()) ranges.push_back(filter_.time);
        if (!is_ascending_) std::ranges::reverse(ranges);
        int code = SQLITE_DONE;
        for (const HistoryFilter::Range& range : ranges) {
            code = read(range);
            if (code != SQLITE_DONE || queries_.size() > limit()) break;
        }
        if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader_.error();
        return result(code == SQLITE_INTERRUPT);
    }

    Result<Visited> visit(const std::function<void(const SeenQuery&)>& visit) {
        if (auto done = make_ready(); !done) return done.error();
        const std::int64_t from =
            std::max(filter_.time.from_us, reader_.db().number("SELECT min(id) FROM queries", 0));
        rows_.bind(1, from);
        rows_.bind(2, filter_.time.to_us);
        rows_.bind(3, std::int64_t{-1});  // no limit
        int code = SQLITE_ROW;
        while ((code = rows_.step()) == SQLITE_ROW) {
            last_us_ = rows_.number(0);
            visit({.stands_for = std::max<std::int64_t>(rows_.number(14), 1),
                   .client = rows_.text(1),
                   .name = rows_.text(4),
                   .decision = word(21),
                   .plugin = word(22),
                   .list = word(23)});
        }
        if (code == SQLITE_DONE) return Visited{from, true};
        if (code != SQLITE_INTERRUPT) return reader_.error();
        return Visited{seen_us_ == 0 ? filter_.time.to_us : reached_us(), false};
    }

  private:
    Result<void> make_ready() {
        if (auto done = read_words(); !done) return done.error();
        return prepare();
    }
    [[nodiscard]] std::string_view word(int at) const {
        const auto known = words_.find(rows_.number(at));
        return known == words_.end() ? std::string_view{} : std::string_view(known->second);
    }
    // Where an interrupted search goes on: at the row that was seen last, which may not have been
    // compared yet.
    [[nodiscard]] std::int64_t reached_us() const {
        return seen_us_ == last_us_ ? seen_us_ : is_ascending_ ? seen_us_ - 1 : seen_us_ + 1;
    }
    [[nodiscard]] std::size_t limit() const { return std::min(filter_.limit, kMostRows); }

    Result<void> read_words() {
        auto all = reader_.prepare("SELECT id, word FROM words");
        if (!all) return all.error();
        while (all->step() == SQLITE_ROW)
            words_.emplace(all->number(0), std::string(all->text(1)));
        return {};
    }

    // " AND COLUMN IN (1,2)": the numbers of the words that fit.
    template <class Fits>
    void add_words(std::string& sql, const char* column, Fits fits) const {
        std::string numbers;
        std::size_t count = 0;
        for (const auto& [id, word] : words_) {
            if (!fits(word) || ++count > kMostWords) continue;
            numbers += (numbers.empty() ? "" : ",") + std::to_string(id);
        }
        sql.append(" AND ").append(column).append(" IN (").append(numbers).append(")");
    }

    Result<void> prepare() {
        std::string sql(kHistoryColumns);
        for (const auto& [column, wanted] :
             std::initializer_list<std::pair<const char*, const std::string&>>{
                 {"end", filter_.end},
                 {"decision", filter_.decision},
                 {"plugin", filter_.plugin}}) {
            if (!wanted.empty())
                add_words(sql, column,
                          [&text = wanted](const std::string& word) { return word == text; });
        }
        if (!filter_.upstream.empty()) {
            add_words(sql, "upstream", [&](const std::string& word) {
                return word == filter_.upstream || word.ends_with("://" + filter_.upstream);
            });
        }
        if (!filter_.list.empty()) {
            add_words(sql, "list", [&](const std::string& word) {
                return word == filter_.list || word.ends_with("/" + filter_.list);
            });
        }
        if (!filter_.rule.empty()) {
            add_words(sql, "rule", [wanted = lower(filter_.rule)](const std::string& word) {
                return lower(word).find(wanted) != std::string::npos;
            });
        }
        if (!filter_.type.empty())
            sql += " AND type = " + std::to_string(number_of_type(filter_.type).value_or(0));
        if (!filter_.rcode.empty())
            sql +=
                " AND rcode = " + std::to_string(number_of_rcode(filter_.rcode).value_or(0xffff));
        if (!filter_.name.empty()) sql += " AND name = ?4";
        if (!filter_.suffix.empty()) sql += " AND (name = ?5 OR substr(name, -length(?6)) = ?6)";
        if (!filter_.contains.empty()) sql += " AND instr(name, ?7) > 0";
        const bool is_one_address = filter_.client && filter_.client->length == 128;
        if (is_one_address) sql += " AND client = ?8";
        const bool tests_clients = (filter_.client && !is_one_address) || filter_.is_member;
        if (tests_clients) sql += " AND steer_client(client)";
        sql += is_ascending_ ? " ORDER BY id LIMIT ?3" : " ORDER BY id DESC LIMIT ?3";
        // (SQLite calls them with these objects only while run() runs.)
        sqlite3* const db = reader_.db().get();
        sqlite3_create_function_v2(db, "steer_seen", 1, SQLITE_UTF8, &seen_us_, note_seen, nullptr,
                                   nullptr, nullptr);
        if (tests_clients) {
            sqlite3_create_function_v2(db, "steer_client", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                       const_cast<HistoryFilter*>(&filter_), is_client, nullptr,
                                       nullptr, nullptr);
        }
        auto rows = reader_.prepare(sql);
        if (!rows) return rows.error();
        rows_ = std::move(*rows);
        if (!filter_.name.empty()) rows_.bind(4, filter_.name);
        if (!filter_.suffix.empty()) {
            rows_.bind(5, filter_.suffix);
            rows_.bind(6, below_);
        }
        if (!filter_.contains.empty()) rows_.bind(7, filter_.contains);
        if (is_one_address) rows_.bind(8, client_);
        return {};
    }

    int read(const HistoryFilter::Range& range) {
        std::int64_t from = std::max(range.from_us, filter_.time.from_us);
        if (is_ascending_) from = std::max(from, *filter_.after_us + 1);
        const std::int64_t to = std::min({range.to_us, filter_.time.to_us, filter_.before_us});
        if (from >= to) return SQLITE_DONE;
        rows_.reset();
        rows_.bind(1, from);
        rows_.bind(2, to);
        // One more tells whether there are more.
        rows_.bind(3, static_cast<std::int64_t>(limit() + 1 - queries_.size()));
        int code = SQLITE_ROW;
        while ((code = rows_.step()) == SQLITE_ROW) {
            last_us_ = rows_.number(0);
            queries_.push_back(query_of(rows_, words_, filter_.shows_decisions));
        }
        // An interrupted statement has to be reset before its connection is used again.
        if (code != SQLITE_DONE) rows_.reset();
        return code;
    }

    [[nodiscard]] value result(bool is_cut) {
        const bool has_more = queries_.size() > limit();
        if (has_more) queries_.pop_back();
        const bool is_complete = !is_cut && !has_more;
        if (is_ascending_) std::reverse(queries_.begin(), queries_.end());
        object out{{"complete", is_complete}, {"cut", is_cut}};
        const auto time_at = [this](std::size_t at) {
            return queries_[at].as_object().at("time_us").as_int64();
        };
        // Where to go on: behind the last query, or where the time was over.
        std::optional<std::int64_t> reached;
        if (has_more) {
            reached = time_at(is_ascending_ ? 0 : queries_.size() - 1);
        } else if (is_cut && seen_us_ != 0) {
            reached = reached_us();
        }
        if (is_ascending_) {
            if (reached) out["back_us"] = *reached;
            out["next_us"] =
                queries_.empty() ? *filter_.after_us + 1 : time_at(queries_.size() - 1);
        } else {
            if (reached) out["next_us"] = *reached;
            if (filter_.before_us != INT64_MAX)
                out["back_us"] = queries_.empty() ? filter_.before_us - 1 : time_at(0);
        }
        out["queries"] = std::move(queries_);
        return value(std::move(out));
    }

    static constexpr std::size_t kMostWords = 1'000;  // in one condition

    Reader& reader_;
    const HistoryFilter& filter_;
    const std::string below_, client_;
    const bool is_ascending_;
    Words words_;
    Statement rows_;
    array queries_;
    std::int64_t seen_us_ = 0, last_us_ = 0;
};

}  // namespace

Result<value> read_history(const std::string& path, const HistoryFilter& filter) {
    Reader reader(path);
    if (auto done = reader.open(filter.patience); !done) return done.error();
    return Search(reader, filter).run();
}

Result<Visited> visit_history(const std::string& path, const HistoryFilter& filter,
                              const std::function<void(const SeenQuery&)>& visit) {
    Reader reader(path);
    if (auto done = reader.open(filter.patience); !done) return done.error();
    return Search(reader, filter).visit(visit);
}

namespace {

// A span in buckets of whole minutes, hours or days.
struct Steps {
    std::int64_t unit = 0, step = 0, from = 0, to = 0;
};

Steps steps_of(Span span, std::int64_t step_s) {
    const std::int64_t length = std::max<std::int64_t>(span.to_s - span.from_s, 1);
    if (step_s <= 0) step_s = length / kWantedBuckets;
    step_s = std::max(step_s, length / static_cast<std::int64_t>(kMostBuckets));
    const std::int64_t unit = length > kByHour || step_s > Sums::kDay - Sums::kHour ? Sums::kDay
                              : step_s > Sums::kHour - Sums::kMinute                ? Sums::kHour
                                                                                    : Sums::kMinute;
    const std::int64_t step = std::max(unit, (step_s + unit - 1) / unit * unit);
    return {unit, step, span.from_s - span.from_s % step,
            span.to_s + (step - span.to_s % step) % step};
}

// The sums of a time as a table: parameters 1 to 3 are span, from and to. The hours that are not
// yet in a day stand beside the days: parameter 4 is the first of them.
std::string sums_of(const std::string& table, const std::string& columns,
                    const std::string& condition) {
    const std::string select = "SELECT start, " + columns + " FROM " + table;
    return "(" + select + " WHERE span = ?1 AND start >= ?2 AND start < ?3" + condition +
           " UNION ALL " + select + " WHERE span = 3600 AND start >= max(?2, ?4) AND start < ?3" +
           condition + ")";
}

void bind_sums(Statement& statement, Reader& reader, const Steps& steps) {
    statement.bind(1, steps.unit);
    statement.bind(2, steps.from);
    statement.bind(3, steps.to);
    statement.bind(4, steps.unit == Sums::kDay ? reader.mark("rolled") : INT64_MAX);
}

}  // namespace

Result<value> read_top(const std::string& path, SumKind kind, Span span, std::size_t limit) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    const std::int64_t length = span.to_s - span.from_s;
    const bool has_minutes = length <= kByMinute && span.from_s >= reader.mark("minutes");
    const std::int64_t bucket = length > kByHour ? Sums::kDay
                                : has_minutes    ? Sums::kMinute
                                                 : Sums::kHour;
    const std::int64_t from = span.from_s - span.from_s % bucket;
    const std::int64_t to = span.to_s + (bucket - span.to_s % bucket) % bucket;
    auto rows = reader.prepare("SELECT key, sum(queries) AS n, sum(duration_us) FROM " +
                               sums_of("tops", "key, queries, duration_us", " AND kind = ?5") +
                               " GROUP BY key ORDER BY n DESC, key");
    if (!rows) return rows.error();
    bind_sums(*rows, reader, {bucket, bucket, from, to});
    rows->bind(5, static_cast<std::int64_t>(kind));
    array top;
    std::int64_t others = 0, sum = 0;
    int code = SQLITE_ROW;
    struct Found {
        std::string key;
        std::int64_t queries, duration_us;
    };
    std::vector<Found> found;
    while ((code = rows->step()) == SQLITE_ROW) {
        const std::int64_t queries = rows->number(1);
        sum += queries;
        if (rows->text(0).empty() || found.size() >= std::min(limit, kMostKeys)) {
            others += queries;
        } else {
            found.push_back({std::string(rows->text(0)), queries, rows->number(2)});
        }
    }
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader.error();
    for (const Found& one : found) {
        top.push_back(
            object{{"key", one.key},
                   {"queries", one.queries},
                   {"share", static_cast<double>(one.queries) /
                                 static_cast<double>(std::max<std::int64_t>(sum, 1))},
                   {"mean_us", one.duration_us / std::max<std::int64_t>(one.queries, 1)}});
    }
    return value(object{{"from", from},
                        {"to", to},
                        {"bucket_seconds", bucket},
                        {"kind", kSumKinds[static_cast<std::size_t>(kind)]},
                        {"queries", sum},
                        {"others", others},
                        {"complete", code == SQLITE_DONE},
                        {"rows", std::move(top)}});
}

namespace {

struct Bucket {
    std::int64_t queries = 0, cached = 0, stale = 0, forwarded = 0, failed = 0, unanswered = 0,
                 duration_us = 0, blocked = 0;
    std::map<std::int64_t, std::int64_t> latencies;  // queries by class

    // The bound of the class in which the slowest `percent` begin; 0: unknown.
    [[nodiscard]] std::int64_t percentile(std::int64_t percent) const {
        std::int64_t all = 0, passed = 0;
        for (const auto& [bound, count] : latencies)
            all += count;
        for (const auto& [bound, count] : latencies) {
            passed += count;
            if (passed * 100 >= all * percent) return bound;
        }
        return 0;
    }
    [[nodiscard]] object to_json(std::int64_t start) const {
        const double all = static_cast<double>(std::max<std::int64_t>(queries, 1));
        object out{{"start", start},     {"queries", queries},
                   {"cached", cached},   {"hit_ratio", static_cast<double>(cached) / all},
                   {"stale", stale},     {"forwarded", forwarded},
                   {"failed", failed},   {"unanswered", unanswered},
                   {"blocked", blocked}, {"mean_us", mean_us()}};
        add_percentiles(out);
        return out;
    }
    [[nodiscard]] std::int64_t mean_us() const {
        return duration_us / std::max<std::int64_t>(queries, 1);
    }
    void add_percentiles(object& out) const {
        out["p50_us"] = percentile(50);
        out["p95_us"] = percentile(95);
        out["p99_us"] = percentile(99);
    }
};

value series_json(const Steps& steps, bool is_complete, array buckets) {
    return object{{"from", steps.from},
                  {"to", steps.to},
                  {"bucket_seconds", steps.step},
                  {"complete", is_complete},
                  {"buckets", std::move(buckets)}};
}

}  // namespace

Result<value> read_course(const std::string& path, const SumKey& of, Span span,
                          std::int64_t step_s) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    Steps steps = steps_of(span, step_s);
    const bool is_personal = std::ranges::find(kPersonalKinds, of.kind) != kPersonalKinds.end();
    if (is_personal && steps.unit == Sums::kMinute && span.from_s < reader.mark("minutes"))
        steps = steps_of(span, std::max(step_s, Sums::kHour));
    auto rows =
        reader.prepare("SELECT start - start % ?7, sum(queries), sum(duration_us) FROM " +
                       sums_of("tops", "queries, duration_us", " AND kind = ?5 AND key = ?6") +
                       " GROUP BY 1 ORDER BY 1");
    if (!rows) return rows.error();
    bind_sums(*rows, reader, steps);
    rows->bind(5, static_cast<std::int64_t>(of.kind));
    rows->bind(6, of.key);
    rows->bind(7, steps.step);
    std::map<std::int64_t, Bucket> buckets;
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW) {
        Bucket& bucket = buckets[rows->number(0)];
        bucket.queries = rows->number(1);
        bucket.duration_us = rows->number(2);
    }
    if (code == SQLITE_DONE && of.kind == SumKind::upstream) {
        auto latencies = reader.prepare(
            "SELECT start - start % ?6, class, sum(queries) FROM " +
            sums_of("latencies", "class, queries", " AND upstream = ?5") + " GROUP BY 1, 2");
        if (!latencies) return latencies.error();
        bind_sums(*latencies, reader, steps);
        latencies->bind(5, of.key);
        latencies->bind(6, steps.step);
        while ((code = latencies->step()) == SQLITE_ROW)
            buckets[latencies->number(0)].latencies[latencies->number(1)] = latencies->number(2);
    }
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader.error();
    array all;
    for (const auto& [start, bucket] : buckets) {
        object one{{"start", start}, {"queries", bucket.queries}, {"mean_us", bucket.mean_us()}};
        if (!bucket.latencies.empty()) bucket.add_percentiles(one);
        all.push_back(std::move(one));
    }
    return series_json(steps, code == SQLITE_DONE, std::move(all));
}

Result<value> read_series(const std::string& path, Span span, std::int64_t step_s) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    const Steps steps = steps_of(span, step_s);
    std::map<std::int64_t, Bucket> buckets;
    auto rows = reader.prepare(
        "SELECT start - start % ?5, sum(queries), sum(cached), sum(stale), sum(forwarded), "
        "sum(failed), sum(unanswered), sum(duration_us), sum(blocked) FROM " +
        sums_of("totals",
                "queries, cached, stale, forwarded, failed, unanswered, duration_us, blocked", "") +
        " GROUP BY 1");
    if (!rows) return rows.error();
    bind_sums(*rows, reader, steps);
    rows->bind(5, steps.step);
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW) {
        Bucket& bucket = buckets[rows->number(0)];
        int at = 1;
        for (std::int64_t* const sum :
             {&bucket.queries, &bucket.cached, &bucket.stale, &bucket.forwarded, &bucket.failed,
              &bucket.unanswered, &bucket.duration_us, &bucket.blocked})
            *sum = rows->number(at++);
    }
    if (code == SQLITE_DONE) {
        auto latencies =
            reader.prepare("SELECT start - start % ?5, CAST(key AS INTEGER), sum(queries) FROM " +
                           sums_of("tops", "key, queries", " AND kind = ?6") + " GROUP BY 1, 2");
        if (!latencies) return latencies.error();
        bind_sums(*latencies, reader, steps);
        latencies->bind(5, steps.step);
        latencies->bind(6, static_cast<std::int64_t>(SumKind::latency));
        while ((code = latencies->step()) == SQLITE_ROW)
            buckets[latencies->number(0)].latencies[latencies->number(1)] = latencies->number(2);
    }
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader.error();
    array all;
    for (const auto& [start, bucket] : buckets)
        all.push_back(bucket.to_json(start));
    return series_json(steps, code == SQLITE_DONE, std::move(all));
}

}  // namespace steer::recorder

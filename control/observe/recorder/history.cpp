#include "control/observe/recorder/history.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
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

    Result<void> open() {
        if (db_.open(path_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW) != SQLITE_OK)
            return unreadable(path_, db_.error());
        sqlite3_busy_timeout(db_.get(), kReadLockPatienceMs);
        if (db_.number("PRAGMA application_id", 0) != kApplicationId ||
            db_.number("PRAGMA user_version", 0) != kSchema)
            return unreadable(path_, "it is not a history of this version of steerdnsd");
        end_ = Clock::now() + kReadPatience;
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

// steer_client(client): whether the address is in the filter's prefix.
void is_client(sqlite3_context* context, int, sqlite3_value** values) {
    const auto& prefix = *static_cast<const matchers::Prefix*>(sqlite3_user_data(context));
    const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
    const auto address = IpAddress::parse(text == nullptr ? "" : text);
    sqlite3_result_int(
        context,
        address && matchers::Prefix::masked(*address, prefix.length).address == prefix.address ? 1
                                                                                               : 0);
}

object query_of(const Statement& row, const Words& words) {
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
        if (!row.is_null(at)) query[key] = word(at);
        ++at;
    }
    if (!row.is_null(9))
        query["rcode"] = ops::rcode_name(static_cast<std::uint16_t>(row.number(9)));
    if (!row.is_null(10)) query["ede"] = row.number(10);
    if (!row.is_null(19)) query["answers"] = row.text(19);
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

}  // namespace

Result<value> read_history(const std::string& path, const HistoryFilter& filter) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    Words words;
    auto all_words = reader.prepare("SELECT id, word FROM words");
    if (!all_words) return all_words.error();
    while (all_words->step() == SQLITE_ROW)
        words.emplace(all_words->number(0), std::string(all_words->text(1)));
    if (filter.client) {
        // (SQLite calls it with this filter only while this function runs.)
        sqlite3_create_function_v2(
            reader.db().get(), "steer_client", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
            const_cast<matchers::Prefix*>(&*filter.client), is_client, nullptr, nullptr, nullptr);
    }
    const auto number_of_word = [&](const std::string& wanted) -> std::int64_t {
        const auto at = std::ranges::find(words, wanted, &Words::value_type::second);
        return at == words.end() ? -1 : at->first;
    };
    std::string sql =
        R"(SELECT id, client, client_port, transport, name, type, class, end, path, rcode, ede,
upstream, entry, duration_us, stands_for, query_size, response_size, worker, trace, answers, server,
decision, plugin, list, rule FROM queries WHERE id >= ?1 AND id < ?2)";
    if (!filter.name.empty()) sql += " AND name = ?4";
    if (!filter.suffix.empty()) sql += " AND (name = ?5 OR substr(name, -length(?6)) = ?6)";
    if (!filter.end.empty()) sql += " AND end = " + std::to_string(number_of_word(filter.end));
    if (!filter.upstream.empty())
        sql += " AND upstream = " + std::to_string(number_of_word(filter.upstream));
    if (!filter.type.empty())
        sql += " AND type = " + std::to_string(number_of_type(filter.type).value_or(0));
    if (!filter.rcode.empty())
        sql += " AND rcode = " + std::to_string(number_of_rcode(filter.rcode).value_or(0xffff));
    if (filter.client) sql += " AND steer_client(client)";
    sql += " ORDER BY id DESC LIMIT ?3";
    auto rows = reader.prepare(sql);
    if (!rows) return rows.error();
    const std::size_t limit = std::min(filter.limit, kMostRows);
    const std::string below = "." + filter.suffix;
    rows->bind(1, filter.from_us);
    rows->bind(2, filter.to_us);
    rows->bind(3, static_cast<std::int64_t>(limit));
    if (!filter.name.empty()) rows->bind(4, filter.name);
    if (!filter.suffix.empty()) {
        rows->bind(5, filter.suffix);
        rows->bind(6, below);
    }
    array queries;
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW)
        queries.push_back(query_of(*rows, words));
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader.error();
    const bool is_complete = code == SQLITE_DONE && queries.size() < limit;
    object out{{"complete", is_complete}};
    if (!is_complete && !queries.empty()) out["next_us"] = queries.back().as_object().at("time_us");
    out["queries"] = std::move(queries);
    return value(std::move(out));
}

Result<value> read_top(const std::string& path, SumKind kind, Span span, std::size_t limit) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    const std::int64_t bucket = span.to_s - span.from_s > kByMinute ? Sums::kHour : Sums::kMinute;
    const std::int64_t from = span.from_s - span.from_s % bucket;
    const std::int64_t to = span.to_s + (bucket - span.to_s % bucket) % bucket;
    auto rows = reader.prepare(
        R"(SELECT key, sum(queries) AS n, sum(duration_us) FROM tops
WHERE span = ?1 AND start >= ?2 AND start < ?3 AND kind = ?4
GROUP BY key ORDER BY n DESC, key)");
    if (!rows) return rows.error();
    rows->bind(1, bucket);
    rows->bind(2, from);
    rows->bind(3, to);
    rows->bind(4, static_cast<std::int64_t>(kind));
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
        return {{"start", start},
                {"queries", queries},
                {"cached", cached},
                {"hit_ratio", static_cast<double>(cached) / all},
                {"stale", stale},
                {"forwarded", forwarded},
                {"failed", failed},
                {"unanswered", unanswered},
                {"blocked", blocked},
                {"mean_us", duration_us / std::max<std::int64_t>(queries, 1)},
                {"p50_us", percentile(50)},
                {"p95_us", percentile(95)},
                {"p99_us", percentile(99)}};
    }
};

// A span in buckets of whole minutes or hours.
struct Steps {
    std::int64_t unit = 0, step = 0, from = 0, to = 0;
};

Steps steps_of(Span span, std::int64_t step_s) {
    const std::int64_t length = std::max<std::int64_t>(span.to_s - span.from_s, 1);
    if (step_s <= 0) step_s = length / kWantedBuckets;
    step_s = std::max(step_s, length / static_cast<std::int64_t>(kMostBuckets));
    const std::int64_t unit = step_s > Sums::kHour - Sums::kMinute ? Sums::kHour : Sums::kMinute;
    const std::int64_t step = std::max(unit, (step_s + unit - 1) / unit * unit);
    return {unit, step, span.from_s - span.from_s % step,
            span.to_s + (step - span.to_s % step) % step};
}

void bind_steps(Statement& statement, const Steps& steps) {
    statement.bind(1, steps.unit);
    statement.bind(2, steps.from);
    statement.bind(3, steps.to);
    statement.bind(4, steps.step);
}

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
    const Steps steps = steps_of(span, step_s);
    auto rows = reader.prepare(
        R"(SELECT start - start % ?4, sum(queries), sum(duration_us) FROM tops
WHERE span = ?1 AND start >= ?2 AND start < ?3 AND kind = ?5 AND key = ?6 GROUP BY 1 ORDER BY 1)");
    if (!rows) return rows.error();
    bind_steps(*rows, steps);
    rows->bind(5, static_cast<std::int64_t>(of.kind));
    rows->bind(6, of.key);
    array buckets;
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW) {
        const std::int64_t queries = rows->number(1);
        buckets.push_back(
            object{{"start", rows->number(0)},
                   {"queries", queries},
                   {"mean_us", rows->number(2) / std::max<std::int64_t>(queries, 1)}});
    }
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT) return reader.error();
    return series_json(steps, code == SQLITE_DONE, std::move(buckets));
}

Result<value> read_series(const std::string& path, Span span, std::int64_t step_s) {
    Reader reader(path);
    if (auto done = reader.open(); !done) return done.error();
    const Steps steps = steps_of(span, step_s);
    std::map<std::int64_t, Bucket> buckets;
    auto rows = reader.prepare(
        R"(SELECT start - start % ?4, sum(queries), sum(cached), sum(stale), sum(forwarded),
sum(failed), sum(unanswered), sum(duration_us), sum(blocked) FROM totals
WHERE span = ?1 AND start >= ?2 AND start < ?3 GROUP BY 1)");
    if (!rows) return rows.error();
    bind_steps(*rows, steps);
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
        auto latencies = reader.prepare(
            "SELECT start - start % ?4, CAST(key AS INTEGER), sum(queries) FROM tops "
            "WHERE span = ?1 AND start >= ?2 AND start < ?3 AND kind = " +
            std::to_string(static_cast<int>(SumKind::latency)) + " GROUP BY 1, 2");
        if (!latencies) return latencies.error();
        bind_steps(*latencies, steps);
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

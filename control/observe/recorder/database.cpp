#include "control/observe/recorder/database.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "matchers/quote.h"

namespace steer::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDayUs = 86'400 * kMicroseconds;
constexpr int kLockPatienceMs = 100;
constexpr std::size_t kMostWords = 10'000;

// Of version 1: the history. Of version 2: sums. Of version 3: the address that was asked; traces as `explain` names them.
// Of version 4: what the policy did, and by which line and list; sums by day.
// Of version 5: the line of the list and its rule; latency classes by upstream.
constexpr std::array<std::string_view, kSchema> kSteps{
    R"(CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE queries(id INTEGER PRIMARY KEY, client TEXT, client_port INTEGER, transport INTEGER, name TEXT,
    type INTEGER, class INTEGER, end INTEGER, path INTEGER, rcode INTEGER, ede INTEGER, upstream INTEGER,
    entry INTEGER, duration_us INTEGER, stands_for INTEGER, query_size INTEGER, response_size INTEGER,
    worker INTEGER, trace INTEGER, answers TEXT);
CREATE VIEW history AS SELECT queries.id AS time_us, client, client_port, t.word AS transport, name, type, class,
    e.word AS end, p.word AS path, rcode, ede, u.word AS upstream, n.word AS entry, duration_us, stands_for,
    query_size, response_size, worker, trace, answers
    FROM queries LEFT JOIN words AS t ON t.id = transport LEFT JOIN words AS e ON e.id = end
    LEFT JOIN words AS p ON p.id = path LEFT JOIN words AS u ON u.id = upstream
    LEFT JOIN words AS n ON n.id = entry;)",
    R"(CREATE TABLE totals(span INTEGER, start INTEGER, queries INTEGER, cached INTEGER, stale INTEGER,
    forwarded INTEGER, failed INTEGER, unanswered INTEGER, duration_us INTEGER, PRIMARY KEY(span, start)) WITHOUT ROWID;
CREATE TABLE tops(span INTEGER, start INTEGER, kind INTEGER, key TEXT, queries INTEGER, duration_us INTEGER,
    PRIMARY KEY(span, start, kind, key)) WITHOUT ROWID;)",
    R"(ALTER TABLE queries ADD COLUMN server INTEGER;
DROP VIEW history;
CREATE VIEW history AS SELECT queries.id AS time_us, client, client_port, s.word AS server, t.word AS transport, name,
    type, class, e.word AS end, p.word AS path, rcode, ede, u.word AS upstream, n.word AS entry, duration_us,
    stands_for, query_size, response_size, worker, CASE WHEN trace NOT NULL THEN printf('%x', trace) END AS trace, answers
    FROM queries LEFT JOIN words AS t ON t.id = transport LEFT JOIN words AS e ON e.id = end
    LEFT JOIN words AS p ON p.id = path LEFT JOIN words AS u ON u.id = upstream
    LEFT JOIN words AS n ON n.id = entry LEFT JOIN words AS s ON s.id = server;)",
    R"(ALTER TABLE queries ADD COLUMN decision INTEGER;
ALTER TABLE queries ADD COLUMN plugin INTEGER;
ALTER TABLE queries ADD COLUMN list INTEGER;
ALTER TABLE queries ADD COLUMN rule INTEGER;
ALTER TABLE totals ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
CREATE TABLE marks(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
DROP VIEW history;
CREATE VIEW history AS SELECT queries.id AS time_us, client, client_port, s.word AS server, t.word AS transport, name,
    type, class, e.word AS end, p.word AS path, d.word AS decision, g.word AS plugin, l.word AS list, r.word AS rule,
    rcode, ede, u.word AS upstream, n.word AS entry, duration_us, stands_for, query_size, response_size, worker,
    CASE WHEN trace NOT NULL THEN printf('%x', trace) END AS trace, answers
    FROM queries LEFT JOIN words AS t ON t.id = transport LEFT JOIN words AS e ON e.id = end
    LEFT JOIN words AS p ON p.id = path LEFT JOIN words AS u ON u.id = upstream
    LEFT JOIN words AS n ON n.id = entry LEFT JOIN words AS s ON s.id = server
    LEFT JOIN words AS d ON d.id = decision LEFT JOIN words AS g ON g.id = plugin
    LEFT JOIN words AS l ON l.id = list LEFT JOIN words AS r ON r.id = rule;)",
    R"(ALTER TABLE queries ADD COLUMN list_line INTEGER;
ALTER TABLE queries ADD COLUMN list_rule TEXT;
CREATE TABLE latencies(span INTEGER, start INTEGER, upstream TEXT, class INTEGER, queries INTEGER,
    PRIMARY KEY(span, start, upstream, class)) WITHOUT ROWID;
DROP VIEW history;
CREATE VIEW history AS SELECT queries.id AS time_us, client, client_port, s.word AS server, t.word AS transport, name,
    type, class, e.word AS end, p.word AS path, d.word AS decision, g.word AS plugin, l.word AS list,
    list_line AS line, list_rule, r.word AS rule, rcode, ede, u.word AS upstream, n.word AS entry, duration_us,
    stands_for, query_size, response_size, worker, CASE WHEN trace NOT NULL THEN printf('%x', trace) END AS trace, answers
    FROM queries LEFT JOIN words AS t ON t.id = transport LEFT JOIN words AS e ON e.id = end
    LEFT JOIN words AS p ON p.id = path LEFT JOIN words AS u ON u.id = upstream
    LEFT JOIN words AS n ON n.id = entry LEFT JOIN words AS s ON s.id = server
    LEFT JOIN words AS d ON d.id = decision LEFT JOIN words AS g ON g.id = plugin
    LEFT JOIN words AS l ON l.id = list LEFT JOIN words AS r ON r.id = rule;)"};

// What an upsert adds to a row of the sums.
constexpr std::string_view kAddTotals =
    "queries = queries + excluded.queries, cached = cached + excluded.cached, "
    "stale = stale + excluded.stale, forwarded = forwarded + excluded.forwarded, "
    "failed = failed + excluded.failed, unanswered = unanswered + excluded.unanswered, "
    "duration_us = duration_us + excluded.duration_us, blocked = blocked + excluded.blocked";
constexpr std::string_view kAddTop =
    "queries = queries + excluded.queries, duration_us = duration_us + excluded.duration_us";
constexpr std::string_view kAddLatency = "queries = queries + excluded.queries";

constexpr std::array kSumTables{"totals", "tops", "latencies"};

// "?1,?2,...": so many parameters of a statement.
std::string parameters(std::size_t count) {
    std::string out;
    for (std::size_t i = 1; i <= count; ++i)
        out.append(i == 1 ? "?" : ",?").append(std::to_string(i));
    return out;
}

std::string name_of(const std::string& path) {
    return "the database " + matchers::quoted_path(path);
}

}  // namespace

std::string_view schema_step(int from) {
    return kSteps.at(static_cast<std::size_t>(from));
}

Database::Database(config::QueryRecorder settings, Warn warn)
    : settings_(std::move(settings)), warn_(std::move(warn)) {}

Database::~Database() {
    close();
}

void Database::close() {
    for (Statement* const statement : {&begin_, &commit_, &insert_, &find_word_, &add_word_,
                                       &add_totals_, &add_top_, &add_latency_})
        *statement = Statement{};
    forget_words();
    db_.close();
}

void Database::fail(std::string what, std::int64_t now_us, bool closes) {
    if (closes) {
        close();
        retry_us_ = now_us + kRetryS * kMicroseconds;
    }
    if (what == error_) return;
    error_ = std::move(what);
    warn_(error_);
}

void Database::well() {
    if (error_.empty()) return;
    error_.clear();
    warn_("queries are recorded in " + name_of(settings_.path) + " again");
}

// Keeps a damaged file under another name, so that recording goes on.
bool Database::set_aside(const std::string& why, std::int64_t now_us) {
    close();
    std::string name = settings_.path + ".damaged";
    std::error_code error;
    for (int n = 2; fs::exists(name, error); ++n)
        name = settings_.path + ".damaged-" + std::to_string(n);
    fs::rename(settings_.path, name, error);
    if (error) {
        fail(name_of(settings_.path) + " is damaged (" + why +
                 ") and cannot be renamed: " + error.message() + "; remove it",
             now_us, true);
        return false;
    }
    for (const char* const more : {"-wal", "-shm"})
        fs::remove(settings_.path + more, error);
    warn_(name_of(settings_.path) + " is damaged (" + why + "): it is kept as " +
          matchers::quoted_path(name) + ", and a new one begins");
    return true;
}

int Database::migrate() {
    const auto version = db_.number("PRAGMA user_version", 0);
    for (auto from = static_cast<int>(version); from < kSchema; ++from) {
        const std::string step = "BEGIN IMMEDIATE;" + std::string(schema_step(from)) +
                                 "PRAGMA application_id = " + std::to_string(kApplicationId) +
                                 ";PRAGMA user_version = " + std::to_string(from + 1) + ";COMMIT";
        if (const int code = db_.run(step); code != SQLITE_OK) {
            db_.run("ROLLBACK");
            return code;
        }
    }
    if (version > 0 && version < kSchema)
        warn_(name_of(settings_.path) + " had the schema " + std::to_string(version) +
              ": it is now " + std::to_string(kSchema));
    return SQLITE_OK;
}

bool Database::prepare() {
    begin_ = db_.prepare("BEGIN IMMEDIATE");
    commit_ = db_.prepare("COMMIT");
    insert_ = db_.prepare("INSERT INTO queries VALUES(" + parameters(kColumns) + ")");
    find_word_ = db_.prepare("SELECT id FROM words WHERE word = ?1");
    add_word_ = db_.prepare("INSERT INTO words(word) VALUES(?1)");
    add_totals_ = db_.prepare(
        "INSERT INTO totals VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT DO "
        "UPDATE SET " +
        std::string(kAddTotals));
    add_top_ = db_.prepare("INSERT INTO tops VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO UPDATE SET " +
                           std::string(kAddTop));
    add_latency_ =
        db_.prepare("INSERT INTO latencies VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET " +
                    std::string(kAddLatency));
    return begin_ && commit_ && insert_ && find_word_ && add_word_ && add_totals_ && add_top_ &&
           add_latency_;
}

bool Database::open(std::int64_t now_us) {
    if (db_.is_open()) return true;
    if (now_us < retry_us_) return false;
    const std::string name = name_of(settings_.path);
    for (int attempt = 0; attempt < 2; ++attempt) {
        int code = db_.open(settings_.path,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW);
        if (code == SQLITE_OK) {
            (void)::chmod(settings_.path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP);
            sqlite3_busy_timeout(db_.get(), kLockPatienceMs);
            // (auto_vacuum has to be set before the first table.)
            code = db_.run(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = "
                "NORMAL;"
                "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;"
                "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY");
        }
        std::string why = db_.error();
        if (code == SQLITE_OK) {
            const auto id = db_.number("PRAGMA application_id", -1);
            const auto version = db_.number("PRAGMA user_version", -1);
            const auto tables = db_.number("SELECT count(*) FROM sqlite_schema", -1);
            if (id != kApplicationId && tables > 0) {
                fail(name + " belongs to another program: name another file as 'path'", now_us,
                     true);
                return false;
            }
            if (id == kApplicationId && version > kSchema) {
                fail(
                    name + " has the schema " + std::to_string(version) +
                        " of a later version of steerdnsd: name another file as 'path', or upgrade",
                    now_us, true);
                return false;
            }
            code = migrate();
            if (code == SQLITE_OK && !prepare()) code = SQLITE_CORRUPT;
            why = db_.error();
            if (code == SQLITE_OK) {
                last_id_ = db_.number("SELECT max(id) FROM queries", 0);
                rolled_s_ = mark("rolled");
                return true;
            }
        }
        code &= 0xff;
        if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
            fail(name + " is locked: another program writes to it; end that", now_us, true);
            return false;
        }
        if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
            if (!set_aside(why, now_us)) return false;
            continue;
        }
        std::string text = name;
        text.append(" cannot be opened: ").append(why);
        text.append(code == SQLITE_FULL ? "; make room on its disk"
                                        : "; name a file in a folder that the daemon's user can "
                                          "write to, such as /var/lib/steerdns");
        fail(text, now_us, true);
        return false;
    }
    return false;
}

// After an error within a transaction.
Database::Wrote Database::give_up(int code, std::int64_t now_us) {
    const std::string why = db_.error();
    const std::string name = name_of(settings_.path);
    db_.run("ROLLBACK");
    forget_words();  // those that were added are gone
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            fail(name + " is locked: another program writes to it; end that", now_us, false);
            return Wrote::later;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            (void)set_aside(why, now_us);
            return Wrote::later;
        case SQLITE_FULL:
            fail("queries are not recorded in " + name + ": its disk is full; make room", now_us,
                 false);
            return Wrote::lost;
        default:
            fail("queries are not recorded in " + name + ": " + why, now_us, true);
            return Wrote::lost;
    }
}

std::int64_t Database::word(std::string_view text) {
    if (const auto known = words_.find(text); known != words_.end()) return known->second;
    if (words_.size() > kMostWords) words_.clear();
    find_word_.bind(1, text);
    std::int64_t id = find_word_.step() == SQLITE_ROW ? find_word_.number(0) : 0;
    find_word_.reset();
    if (id == 0) {
        add_word_.bind(1, text);
        if (add_word_.run() == SQLITE_DONE) id = sqlite3_last_insert_rowid(db_.get());
    }
    if (id != 0) words_.emplace(text, id);
    return id;
}

void Database::bind_word(int at, std::string_view text) {
    if (text.empty()) return insert_.bind_null(at);
    Repeated& last = repeated_[static_cast<std::size_t>(at)];
    if (last.id == 0 || last.word != text) {
        last.id = word(text);
        last.word = text;
    }
    insert_.bind(at, last.id);
}

void Database::forget_words() {
    words_.clear();
    repeated_.fill({});
}

int Database::insert(const RowBatch& batch, const Row& row) {
    const auto texts = batch.texts(row);
    // Workers end queries beside each other, so times are nearly in order. After the clock was set back they are not.
    std::int64_t id = row.time_us;
    if (id <= last_id_ && last_id_ - id < kMicroseconds) id = last_id_ + 1;
    const auto bind_or_null = [&](int at, std::uint16_t value, std::uint16_t none) {
        value == none ? insert_.bind_null(at) : insert_.bind(at, std::int64_t{value});
    };
    insert_.bind(2, texts.client);
    insert_.bind(3, std::int64_t{row.client_port});
    bind_word(4, row_of(row.transport).label);
    texts.name.empty() ? insert_.bind_null(5) : insert_.bind(5, texts.name);
    bind_or_null(6, row.qtype, 0);
    bind_or_null(7, row.qclass, 0);
    bind_word(8, row.end);
    bind_word(9, kPaths[static_cast<std::size_t>(row.path)]);
    bind_or_null(10, row.rcode, kNoRcode);
    bind_or_null(11, row.ede, kNoError);
    bind_word(12, texts.upstream);
    bind_word(13, texts.entry);
    insert_.bind(14, std::int64_t{row.duration_us});
    insert_.bind(15, std::int64_t{row.stands_for});
    insert_.bind(16, std::int64_t{row.query_size});
    insert_.bind(17, std::int64_t{row.response_size});
    insert_.bind(18, std::int64_t{row.worker});
    row.trace == 0 ? insert_.bind_null(19) : insert_.bind(19, static_cast<std::int64_t>(row.trace));
    texts.answers.empty() ? insert_.bind_null(20) : insert_.bind(20, texts.answers);
    bind_word(21, texts.server);
    bind_word(22, row.decision);
    bind_word(23, texts.plugin);
    bind_word(24, texts.list);
    bind_word(25, texts.rule);
    row.line == 0 ? insert_.bind_null(26) : insert_.bind(26, std::int64_t{row.line});
    // Not a word: a large list has more rules than searches can hold words.
    texts.list_rule.empty() ? insert_.bind_null(27) : insert_.bind(27, texts.list_rule);
    for (;; ++id) {
        insert_.bind(1, id);
        const int code = insert_.run();
        if ((code & 0xff) == SQLITE_CONSTRAINT) continue;
        if (code == SQLITE_DONE) last_id_ = std::max(last_id_, id);
        return code;
    }
}

Database::Wrote Database::write(const RowBatch& batch, std::int64_t now_us) {
    if (!open(now_us)) return Wrote::lost;
    if (const int code = begin_.run(); code != SQLITE_DONE) return give_up(code, now_us);
    for (const Row& row : batch.rows()) {
        if (const int code = insert(batch, row); code != SQLITE_DONE) return give_up(code, now_us);
    }
    if (const int code = commit_.run(); code != SQLITE_DONE) return give_up(code, now_us);
    written_ += batch.size();
    well();
    for (const Row& row : batch.rows()) {
        if (sums_.is_over(row.time_us)) (void)flush_sums(now_us);
        sums_.add(batch, row);
    }
    return Wrote::yes;
}

int Database::put_sums() {
    const Totals& totals = sums_.totals();
    const auto keys = sums_.keys();
    const auto latencies = sums_.latencies();
    for (const std::int64_t span : {Sums::kMinute, Sums::kHour, Sums::kDay}) {
        const std::int64_t start = sums_.minute() - sums_.minute() % span;
        // A day gets its past hours. Only a minute that comes later than its hour is added here.
        if (span == Sums::kDay && sums_.minute() >= rolled_s_) continue;
        add_totals_.bind(1, span);
        add_totals_.bind(2, start);
        int at = 3;
        for (const std::uint64_t sum :
             {totals.queries, totals.cached, totals.stale, totals.forwarded, totals.failed,
              totals.unanswered, totals.duration_us, totals.blocked})
            add_totals_.bind(at++, static_cast<std::int64_t>(sum));
        if (const int code = add_totals_.run(); code != SQLITE_DONE) return code;
        for (const Sums::Key& key : keys) {
            add_top_.bind(1, span);
            add_top_.bind(2, start);
            add_top_.bind(3, static_cast<std::int64_t>(key.kind));
            add_top_.bind(4, key.key);
            add_top_.bind(5, static_cast<std::int64_t>(key.queries));
            add_top_.bind(6, static_cast<std::int64_t>(key.duration_us));
            if (const int code = add_top_.run(); code != SQLITE_DONE) return code;
        }
        for (const Sums::Latency& latency : latencies) {
            add_latency_.bind(1, span);
            add_latency_.bind(2, start);
            add_latency_.bind(3, latency.upstream);
            add_latency_.bind(4, std::int64_t{latency.bound_us});
            add_latency_.bind(5, static_cast<std::int64_t>(latency.queries));
            if (const int code = add_latency_.run(); code != SQLITE_DONE) return code;
        }
    }
    return SQLITE_DONE;
}

bool Database::flush_sums(std::int64_t now_us) {
    if (sums_.minute() == 0) return true;
    if (!open(now_us)) return false;
    int code = begin_.run();
    if (code == SQLITE_DONE) code = put_sums();
    if (code == SQLITE_DONE) code = commit_.run();
    if (code != SQLITE_DONE) {
        (void)give_up(code, now_us);
        return false;
    }
    sums_.clear();
    sums_us_ = now_us;
    return true;
}

void Database::remove_old(std::int64_t now_us) {
    const std::int64_t page = db_.number("PRAGMA page_size", 4096);
    const std::int64_t pages = db_.number("PRAGMA page_count", 0);
    const std::int64_t free = db_.number("PRAGMA freelist_count", 0);
    bytes_ = static_cast<std::uint64_t>(pages * page);
    const bool too_large = static_cast<std::uint64_t>((pages - free) * page) > settings_.max_size;
    const std::int64_t oldest = now_us - std::int64_t{settings_.retention_days} * kDayUs;
    // The id behind the rows that may go in this turn. If they are too many, about as many as make room.
    constexpr std::int64_t kRowBytes = 64;
    const std::int64_t excess =
        (pages - free) * page - static_cast<std::int64_t>(settings_.max_size);
    const std::int64_t rows =
        too_large ? std::clamp<std::int64_t>(excess / kRowBytes, 1000, kMostDeleted) : kMostDeleted;
    const std::int64_t most =
        db_.number("SELECT id FROM queries ORDER BY id LIMIT 1 OFFSET " + std::to_string(rows),
                   db_.number("SELECT max(id) + 1 FROM queries", 0));
    const std::int64_t before = too_large ? most : std::min(oldest, most);
    const std::int64_t first = db_.number("SELECT min(id) FROM queries", 0);
    if (first != 0 && first < before &&
        db_.run("DELETE FROM queries WHERE id < " + std::to_string(before)) == SQLITE_OK)
        removed_ += static_cast<std::uint64_t>(sqlite3_changes64(db_.get()));
    const std::string sums_before = std::to_string(oldest / kMicroseconds);
    for (const char* const table : kSumTables) {
        for (const std::int64_t span : {Sums::kMinute, Sums::kHour}) {
            db_.run("DELETE FROM " + std::string(table) + " WHERE span = " + std::to_string(span) +
                    " AND start < " + sums_before);
        }
    }
    // Without rows to remove, the sums are what is too large: those by minute first.
    if (too_large && (first == 0 || first >= before)) {
        for (const std::int64_t span : {Sums::kMinute, Sums::kHour, Sums::kDay}) {
            const std::string of = " WHERE span = " + std::to_string(span);
            const auto start = db_.number("SELECT min(start) FROM tops" + of, 0);
            if (start == 0) continue;
            for (const char* const table : {"tops", "latencies"})
                db_.run("DELETE FROM " + std::string(table) + of + " AND start <= " +
                        std::to_string(start + (span == Sums::kDay ? 0 : Sums::kHour)));
            break;
        }
    }
    if (free > 1000 && free > pages / 4) db_.run("PRAGMA incremental_vacuum(2000)");
}

std::int64_t Database::mark(const char* name) const {
    Statement statement = db_.prepare("SELECT value FROM marks WHERE name = ?1");
    if (!statement) return 0;
    statement.bind(1, std::string_view(name));
    return statement.step() == SQLITE_ROW ? statement.number(0) : 0;
}

bool Database::set_mark(const char* name, std::int64_t value) {
    Statement statement = db_.prepare("INSERT OR REPLACE INTO marks VALUES(?1, ?2)");
    if (!statement) return false;
    statement.bind(1, std::string_view(name));
    statement.bind(2, value);
    return statement.run() == SQLITE_DONE;
}

// Of each kind, the less frequent keys become the key "".
bool Database::trim(std::int64_t span, std::int64_t start) {
    Statement least = db_.prepare(
        "SELECT queries FROM tops WHERE span = ?1 AND start = ?2 AND kind = ?3 AND key <> '' "
        "ORDER BY queries DESC LIMIT 1 OFFSET ?4");
    Statement others = db_.prepare(
        R"(INSERT INTO tops SELECT span, start, kind, '', sum(queries), sum(duration_us) FROM tops
WHERE span = ?1 AND start = ?2 AND kind = ?3 AND key <> '' AND queries <= ?4 GROUP BY kind
ON CONFLICT DO UPDATE SET queries = queries + excluded.queries,
duration_us = duration_us + excluded.duration_us)");
    Statement remove = db_.prepare(
        "DELETE FROM tops WHERE span = ?1 AND start = ?2 AND kind = ?3 AND key <> '' "
        "AND queries <= ?4");
    if (!least || !others || !remove) return false;
    for (std::size_t kind = 0; kind < kSumKinds.size(); ++kind) {
        for (Statement* const statement : {&least, &others, &remove}) {
            statement->bind(1, span);
            statement->bind(2, start);
            statement->bind(3, static_cast<std::int64_t>(kind));
        }
        least.bind(4, static_cast<std::int64_t>(Sums::kKeptOfHour));
        const bool has_more = least.step() == SQLITE_ROW;
        const std::int64_t most = has_more ? least.number(0) : 0;
        least.reset();
        if (!has_more) continue;
        others.bind(4, most);
        remove.bind(4, most);
        if (others.run() != SQLITE_DONE || remove.run() != SQLITE_DONE) return false;
    }
    return true;
}

void Database::roll_hour(std::int64_t now_us) {
    const std::int64_t ended = now_us / kMicroseconds - kRollAfterS;
    if (rolled_s_ + Sums::kHour > ended) return;
    const std::int64_t hour = db_.number(
        "SELECT min(start) FROM totals WHERE span = 3600 AND "
        "start >= " +
            std::to_string(rolled_s_),
        0);
    const std::int64_t next = hour == 0 ? ended - ended % Sums::kHour : hour + Sums::kHour;
    if (next > ended) return;
    const std::int64_t day = hour - hour % Sums::kDay;
    const std::string of = " WHERE span = 3600 AND start = " + std::to_string(hour);
    bool is_done = begin_.run() == SQLITE_DONE;
    if (hour != 0) {
        is_done =
            is_done && trim(Sums::kHour, hour) &&
            db_.run("INSERT INTO totals SELECT 86400, " + std::to_string(day) +
                    ", queries, cached, stale, forwarded, failed, unanswered, duration_us, "
                    "blocked FROM totals" +
                    of + " ON CONFLICT DO UPDATE SET " + std::string(kAddTotals)) == SQLITE_OK &&
            db_.run("INSERT INTO tops SELECT 86400, " + std::to_string(day) +
                    ", kind, key, queries, duration_us FROM tops" + of +
                    " ON CONFLICT DO UPDATE SET " + std::string(kAddTop)) == SQLITE_OK &&
            db_.run("INSERT INTO latencies SELECT 86400, " + std::to_string(day) +
                    ", upstream, class, queries FROM latencies" + of +
                    " ON CONFLICT DO UPDATE SET " + std::string(kAddLatency)) == SQLITE_OK &&
            (next % Sums::kDay != 0 || trim(Sums::kDay, day));
    }
    is_done = is_done && set_mark("rolled", next) && commit_.run() == SQLITE_DONE;
    if (is_done) {
        rolled_s_ = next;
    } else {
        db_.run("ROLLBACK");
    }
}

// Once a minute: names and clients in the sums do not stay longer than rows, and by minute only as
// long as a graph of a day needs them. Other sums stay for kSumsDays.
void Database::remove_old_sums(std::int64_t now_us) {
    if (now_us - cleaned_sums_us_ < Sums::kMinute * kMicroseconds && now_us >= cleaned_sums_us_)
        return;
    cleaned_sums_us_ = now_us;
    std::string kinds;
    for (const SumKind kind : kPersonalKinds)
        kinds += (kinds.empty() ? "" : ",") + std::to_string(static_cast<int>(kind));
    const std::int64_t now = now_us / kMicroseconds;
    const std::string personal = " AND kind IN (" + kinds + ")";
    const std::int64_t minutes = now - kPersonalMinutesS, since = mark("minutes");
    if (minutes > since &&
        db_.run("DELETE FROM tops WHERE span = 60 AND start >= " + std::to_string(since) +
                " AND start < " + std::to_string(minutes) + personal) == SQLITE_OK)
        (void)set_mark("minutes", minutes);
    const std::int64_t rows = now - std::int64_t{settings_.retention_days} * Sums::kDay;
    db_.run("DELETE FROM tops WHERE span = 86400 AND start < " + std::to_string(rows) + personal);
    const std::int64_t days = std::max<std::int64_t>(kSumsDays, settings_.retention_days);
    for (const char* const table : kSumTables)
        db_.run("DELETE FROM " + std::string(table) + " WHERE span = 86400 AND start < " +
                std::to_string(now - days * Sums::kDay));
}

void Database::tidy(std::int64_t now_us) {
    if (!open(now_us)) return;
    if (now_us - sums_us_ >= kSumsEveryS * kMicroseconds || sums_.is_over(now_us))
        (void)flush_sums(now_us);
    if (!db_.is_open()) return;
    // Each batch may need as much room as one turn makes; without batches, once a second is enough.
    if (now_us - cleaned_us_ < kMicroseconds / 20) return;
    cleaned_us_ = now_us;
    roll_hour(now_us);
    remove_old(now_us);
    remove_old_sums(now_us);
}

}  // namespace steer::recorder

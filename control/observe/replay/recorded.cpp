#include "control/observe/replay/recorded.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <optional>
#include <string_view>

#include "control/observe/recorder/database.h"
#include "control/observe/recorder/recorded_query.h"
#include "control/observe/recorder/sqlite.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "matchers/quote.h"

namespace steer::replay {
namespace {

using recorder::Statement;
using Steady = std::chrono::steady_clock;

constexpr int kLockPatienceMs = 500;
constexpr unsigned kRowsBetweenChecks = 4096;
constexpr std::int64_t kKeptResponse = 512;  // bytes of a response that `answers` is made from

Error unreadable(const std::string& path, const std::string& why) {
    return Error{"the database " + matchers::quoted_path(path) + " cannot be read: " + why +
                 "; see 'steerctl recorder'"};
}

// A row of `queries`, by the columns of kSelect.
constexpr const char* kSelect =
    "SELECT id, client, name, type, class, entry, stands_for, rcode, answers, upstream, path, "
    "response_size FROM queries WHERE id >= ?1 AND id < ?2 ORDER BY id DESC";
enum Column {
    kId,
    kClient,
    kName,
    kType,
    kClass,
    kEntry,
    kStandsFor,
    kRcode,
    kAnswers,
    kUpstream,
    kPath,
    kSize
};

using Words = std::map<std::int64_t, std::string>;

class Reader {
  public:
    Reader(const RecordedSpan& span, Words words) : span_(span), words_(std::move(words)) {}

    // False: there are too many different queries.
    bool take(const Statement& row) {
        const auto name = row.text(kName);
        const auto count =
            static_cast<std::uint64_t>(std::max<std::int64_t>(1, row.number(kStandsFor)));
        if (row.is_null(kName)) {
            out_.unreadable += count;
            return true;
        }
        key_.assign(name);
        for (const auto column : {kType, kClass, kEntry})
            key_ += ' ' + std::to_string(row.number(column));
        key_ += ' ';
        key_ += row.text(kClient);
        const auto [at, is_new] = places_.try_emplace(key_, out_.queries.size());
        if (is_new && !add(row)) {
            places_.erase(at);
            return out_.queries.size() < kMostDistinct;
        }
        ReplayedQuery& query = out_.queries[at->second];
        query.queries += count;
        out_.sum += count;
        out_.from_us = row.number(kId);
        if (!query.answer) query.answer = answer_of(row);
        query.was_answered |= !row.is_null(kRcode);
        return true;
    }
    Recorded finish() {
        std::ranges::stable_sort(out_.queries, std::greater{}, &ReplayedQuery::queries);
        return std::move(out_);
    }

  private:
    bool add(const Statement& row) {
        if (out_.queries.size() >= kMostDistinct) return false;
        auto name = dns::name_from_text(row.text(kName));
        const auto client = IpAddress::parse(row.text(kClient));
        if (!name || !client) {
            ++out_.unreadable;
            return false;
        }
        ReplayedQuery query;
        query.name = *std::move(name);
        query.qtype = static_cast<std::uint16_t>(row.number(kType));
        query.qclass = static_cast<std::uint16_t>(row.number(kClass));
        query.client = *client;
        query.is_masked = client->is_v4() ? span_.mask4 < 32 : span_.mask6 < 128;
        query.entry = word(row, kEntry);
        query.queries = 0;
        query.was_answered = false;
        out_.queries.push_back(std::move(query));
        return true;
    }
    [[nodiscard]] std::string word(const Statement& row, Column column) const {
        const auto at = words_.find(row.number(column));
        return row.is_null(column) || at == words_.end() ? std::string() : at->second;
    }
    // An answer that an upstream may have sent, complete.
    [[nodiscard]] std::optional<KnownAnswer> answer_of(const Statement& row) const {
        constexpr std::array<std::string_view, 4> kFromUpstreams{"packet_cache", "cache", "stale",
                                                                 "forwarded"};
        if (row.is_null(kRcode) || row.number(kSize) > kKeptResponse ||
            !is_complete(row.text(kAnswers)))
            return std::nullopt;
        const auto rcode = static_cast<std::uint16_t>(row.number(kRcode));
        if (rcode != dns::kNoError && rcode != dns::kNxDomain) return std::nullopt;
        if (std::ranges::find(kFromUpstreams, word(row, kPath)) == kFromUpstreams.end())
            return std::nullopt;
        return KnownAnswer{.rcode = rcode,
                           .records = std::string(row.text(kAnswers)),
                           .upstream = word(row, kUpstream),
                           .is_upstreams = true};
    }

    // Whether the records that did not fit into `answers` are none. Behind an address there is no CNAME.
    static bool is_complete(std::string_view answers) {
        constexpr std::size_t kAddress = 40;
        const auto last = answers.substr(answers.rfind(' ') + 1);
        const std::size_t next = IpAddress::parse(last) ? kAddress : dns::kMaxName + 1;
        return answers.size() + next < recorder::kMostAnswers;
    }

    const RecordedSpan span_;
    const Words words_;
    std::string key_;
    boost::unordered_flat_map<std::string, std::size_t> places_;
    Recorded out_;
};

}  // namespace

Result<Recorded> read_recorded(const std::string& path, const RecordedSpan& span,
                               const std::atomic<bool>& stop) {
    recorder::Connection db;
    if (db.open(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW) != SQLITE_OK)
        return unreadable(path, db.error());
    sqlite3_busy_timeout(db.get(), kLockPatienceMs);
    if (db.number("PRAGMA application_id", 0) != recorder::kApplicationId ||
        db.number("PRAGMA user_version", 0) != recorder::kSchema)
        return unreadable(path, "it is not a history of this version of steerdnsd");
    Words words;
    Statement all_words = db.prepare("SELECT id, word FROM words");
    if (!all_words) return unreadable(path, db.error());
    while (all_words.step() == SQLITE_ROW)
        words.emplace(all_words.number(0), std::string(all_words.text(1)));
    Statement rows = db.prepare(kSelect);
    if (!rows) return unreadable(path, db.error());
    rows.bind(1, span.from_us);
    rows.bind(2, span.to_us);
    Reader reader(span, std::move(words));
    const auto end = Steady::now() + kReadPatience;
    int code = SQLITE_ROW;
    bool is_complete = true;
    for (unsigned n = 1; is_complete && (code = rows.step()) == SQLITE_ROW; ++n) {
        is_complete = reader.take(rows);
        if (n % kRowsBetweenChecks == 0 && (stop || Steady::now() > end)) is_complete = false;
    }
    if (is_complete && code != SQLITE_DONE) return unreadable(path, db.error());
    Recorded out = reader.finish();
    out.is_complete = is_complete;
    return out;
}

}  // namespace steer::replay

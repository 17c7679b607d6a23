#include "control/observe/recorder/recorder_methods.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/config/text/dns_names.h"
#include "control/observe/recorder/history.h"
#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer::recorder {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using ops::Changes;
using ops::ParamType;
using namespace std::chrono_literals;

constexpr auto kFlushPatience = 1000ms;
constexpr std::uint64_t kMostSeconds = std::uint64_t{3650} * 86'400;
constexpr std::uint64_t kMostTime = 32'503'680'000;  // the year 3000

constexpr std::array<const char*, 4> kDecisionFilters{"decision", "list", "decided_by", "rule"};

ops::RpcError decisions_forbidden() {
    return {ops::RpcCode::forbidden,
            "decisions by client need the role operate, because this recorder keeps whole "
            "addresses (mask4, mask6)"};
}

constexpr ops::Parameter kPlugin{
    "plugin", ParamType::text,
    "the tag of a query_recorder; without it, the first with a database"};
constexpr ops::Parameter kSeconds{
    "seconds", ParamType::number, "how far back, in seconds; without `from`", false,
    1,         kMostSeconds};
constexpr ops::Parameter kFrom{
    "from", ParamType::number, "begin of the time, in seconds since 1970", false, 0, kMostTime};
constexpr ops::Parameter kTo{
    "to",
    ParamType::number,
    "end of the time, in seconds since 1970, not included; without it, now",
    false,
    0,
    kMostTime};

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Span span_of(const ops::Arguments& asked, std::uint64_t seconds) {
    Span span;
    span.to_s =
        static_cast<std::int64_t>(asked.number("to", static_cast<std::uint64_t>(now_s()) + 1));
    const auto back = static_cast<std::int64_t>(asked.number("seconds", seconds));
    span.from_s = std::max<std::int64_t>(
        0, static_cast<std::int64_t>(asked.number(
               "from", static_cast<std::uint64_t>(std::max<std::int64_t>(0, span.to_s - back)))));
    return span;
}

std::string lower_name(const ops::Arguments& asked, std::string_view parameter) {
    const auto wire = config::asked_name(asked.text(parameter));
    std::string text;
    if (asked.has(parameter) && wire) put_name(*wire, text);
    return text;
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

std::string joined(std::span<const std::string_view> words) {
    std::string out;
    for (const std::string_view word : words)
        out.append(out.empty() ? "" : ", ").append(word);
    return out;
}

constexpr std::string_view kKinds =
    "`name` (default), `client`, `end`, `upstream`, `type`, `rcode`, `path`, `transport`, `entry`, "
    "`latency`, `decision`, `list`, `blocked_name`, `blocked_client` or `blocked_list`";

Result<SumKind> kind_of(const ops::Arguments& asked) {
    const std::string kind = asked.has("kind") ? asked.text("kind") : "name";
    const auto at = std::ranges::find(kSumKinds, kind);
    if (at == kSumKinds.end())
        return Error{"kind is " + matchers::quoted(kind) +
                     ": expected name, client, end, upstream, type, rcode, path, transport, entry, "
                     "latency, decision, list, blocked_name, blocked_client or blocked_list"};
    return static_cast<SumKind>(at - kSumKinds.begin());
}

// "FROM-TO" in seconds since 1970. No value: another text.
std::optional<HistoryFilter::Range> range_from(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto second = [](std::string_view digits) -> std::optional<std::int64_t> {
        std::int64_t value = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size() || value < 0 ||
            value > static_cast<std::int64_t>(kMostTime))
            return std::nullopt;
        return value;
    };
    const auto from = second(text.substr(0, dash)), to = second(text.substr(dash + 1));
    if (!from || !to || *from >= *to) return std::nullopt;
    return HistoryFilter::Range{*from * kMicroseconds, *to * kMicroseconds};
}

Result<std::vector<HistoryFilter::Range>> ranges_of(const ops::Arguments& asked) {
    std::vector<HistoryFilter::Range> ranges;
    for (const std::string& text : asked.texts("ranges")) {
        const auto range = range_from(text);
        if (!range || (!ranges.empty() && range->from_us < ranges.back().to_us))
            return Error{"ranges has " + matchers::quoted(text) +
                         ": expected FROM-TO in seconds since 1970, the earliest first, without "
                         "overlaps"};
        ranges.push_back(*range);
    }
    if (ranges.size() > HistoryFilter::kMostRanges)
        return Error{"ranges has " + std::to_string(ranges.size()) + " parts: expected at most " +
                     std::to_string(HistoryFilter::kMostRanges)};
    return ranges;
}

// The filter of recorder.history.
Result<HistoryFilter> filter_of(const ops::Arguments& asked) {
    HistoryFilter filter;
    filter.name = lower_name(asked, "name");
    filter.suffix = lower_name(asked, "suffix");
    if (filter.suffix == ".") filter.suffix.clear();
    filter.contains = lower(asked.text("contains"));
    if (asked.has("client")) {
        const auto prefix = matchers::Prefix::parse(asked.text("client"));
        if (!prefix) return Error{"client: expected an address or prefix such as 192.0.2.0/24"};
        filter.client = *prefix;
    }
    filter.type = upper(asked.text("type"));
    filter.rcode = upper(asked.text("rcode"));
    filter.end = asked.text("end");
    filter.upstream = asked.text("upstream");
    filter.decision = asked.text("decision");
    if (!filter.decision.empty() &&
        std::ranges::find(kDecisions, filter.decision) == kDecisions.end())
        return Error{"decision is " + matchers::quoted(filter.decision) + ": expected one of " +
                     joined(kDecisions)};
    filter.plugin = asked.text("decided_by");
    filter.list = asked.text("list");
    filter.rule = asked.text("rule");
    auto ranges = ranges_of(asked);
    if (!ranges) return ranges.error();
    filter.ranges = std::move(*ranges);
    const Span span = span_of(asked, kMostSeconds);
    filter.time = {span.from_s * kMicroseconds, span.to_s * kMicroseconds};
    filter.before_us = static_cast<std::int64_t>(
        std::min<std::uint64_t>(asked.number("before_us", INT64_MAX), INT64_MAX));
    if (asked.has("after_us")) {
        if (asked.has("before_us")) return Error{"write before_us or after_us, not both"};
        filter.after_us = static_cast<std::int64_t>(
            std::min<std::uint64_t>(asked.number("after_us", 0), INT64_MAX - 1));
    }
    filter.limit = asked.number("limit", filter.limit);
    return filter;
}

std::uint64_t steady_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

object to_json(const SinkStatus& sink) {
    return {{"sink", sink.kind},       {"place", sink.place},   {"written", sink.written},
            {"dropped", sink.dropped}, {"failed", sink.failed}, {"bytes", sink.bytes},
            {"well", sink.is_well},    {"trouble", sink.error}};
}

value to_json(const Recorder::Status& status) {
    array recorders;
    for (const auto& one : status.recordings) {
        array sinks;
        for (const SinkStatus& sink : one.sinks)
            sinks.push_back(to_json(sink));
        recorders.push_back(object{{"plugin", one.tag},
                                   {"recorded", one.taken},
                                   {"excepted", one.skipped},
                                   {"unmarked", one.unmarked},
                                   {"one_in", one.one_in},
                                   {"sinks", std::move(sinks)}});
    }
    return object{{"records", status.records},
                  {"queries", status.queries},
                  {"lost", status.lost},
                  {"recorders", std::move(recorders)}};
}

}  // namespace

RecorderMethods::RecorderMethods(boost::asio::io_context& main_io, Recorder& recorder,
                                 Members members)
    : main_io_(main_io), recorder_(recorder), members_(std::move(members)) {}

// What `read` shows of a client does not include what was blocked for it, unless masks hide the
// client.
bool RecorderMethods::may_see_decisions(const ops::Arguments& asked) const {
    return asked.caller().role >= AccessRole::operate || masks_clients(asked);
}

bool RecorderMethods::masks_clients(const ops::Arguments& asked) const {
    const std::string tag = asked.text("plugin");
    for (const auto& one : recorder_.status().recordings) {
        if (!tag.empty() && one.tag != tag) continue;
        if (std::ranges::find(one.sinks, "database", &SinkStatus::kind) == one.sinks.end())
            continue;
        return one.masks_clients;
    }
    return false;
}

void RecorderMethods::read(const ops::Arguments& asked, Read read, const ops::RpcDone& done) {
    const auto status = recorder_.status();
    const std::string tag = asked.text("plugin");
    std::string path;
    bool is_there = false;
    for (const auto& one : status.recordings) {
        if (!tag.empty() && one.tag != tag) continue;
        is_there = true;
        const auto sink = std::ranges::find(one.sinks, "database", &SinkStatus::kind);
        if (sink == one.sinks.end()) continue;
        path = sink->place;
        break;
    }
    if (path.empty()) {
        if (!tag.empty() && !is_there)
            return done(ops::bad_params("there is no query_recorder " + matchers::quoted(tag) +
                                        " that a server runs"));
        return done(ops::RpcError{
            ops::RpcCode::internal_error,
            (tag.empty() ? "no query_recorder" : "query_recorder " + matchers::quoted(tag)) +
                std::string(" has a database: write its 'path' in the configuration")});
    }
    using Room = FairQueue<Waiting>::Room;
    const Room room = queue_.push(asked.caller().owner, {std::move(path), std::move(read), done});
    if (room != Room::taken) {
        const char* const whose = room == Room::none ? "" : "of yours ";
        return done(ops::RpcError{
            ops::RpcCode::internal_error,
            "too many requests " + std::string(whose) + "wait for the history: ask again"});
    }
    begin_next();
}

void RecorderMethods::begin_next() {
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
        if (is_reading_[thread]) continue;
        auto next = queue_.begin();
        if (!next) return;
        begin(thread, std::move(*next));
    }
}

void RecorderMethods::begin(std::size_t thread, FairQueue<Waiting>::Next next) {
    is_reading_[thread] = true;
    const auto end = [this, thread, caller = next.caller] {
        is_reading_[thread] = false;
        queue_.end(caller);
    };
    const auto done = next.request.done;
    const auto begun = threads_[thread].run([this, end, waiting = std::move(next.request)] {
        if (pacer_.is_due(steady_ms())) {
            const bool has_finished = recorder_.flush(kFlushPatience);
            pacer_.ended(has_finished, steady_ms());
        }
        auto result = waiting.read(waiting.path);
        boost::asio::post(
            main_io_, [this, end, done = waiting.done, result = std::move(result)]() mutable {
                if (result.has_error()) {
                    done(ops::RpcError{ops::RpcCode::internal_error, result.error().sentence()});
                } else {
                    done(std::move(*result));
                }
                end();
                begin_next();
            });
    });
    if (begun) return;
    done(ops::RpcError{ops::RpcCode::internal_error, begun.error().text});
    end();
}

bool RecorderMethods::add_group(const ops::Arguments& asked, HistoryFilter& filter,
                                const ops::RpcDone& done) const {
    if (!asked.has("group")) return true;
    // As `clients.groups`: who is in a group is not for `read`.
    if (asked.caller().role < AccessRole::operate) {
        done(ops::RpcError{ops::RpcCode::forbidden, "a group of devices needs the role operate"});
        return false;
    }
    auto members = members_(asked.text("group"));
    if (!members) {
        done(ops::bad_params(members.error().text));
        return false;
    }
    filter.is_member = std::move(*members);
    return true;
}

void RecorderMethods::add_methods(ops::Methods& methods) {
    methods.add(
        {.name = "recorder.status",
         .help = "Shows each query_recorder: its files and receivers, written and lost queries.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .run = [this](const ops::Arguments&) -> ops::RpcResult {
             return to_json(recorder_.status());
         },
         .members = "recorders records queries lost",
         .result = "each query_recorder with its files, receivers and counts"});
    methods.add(
        {.name = "recorder.history",
         .help = "Shows recorded queries, the newest first. A search ends after 2 seconds and says "
                 "where to go on.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters =
             {kPlugin,
              {"name", ParamType::domain_name, "only this name"},
              {"suffix", ParamType::domain_name, "only this name and names below it"},
              {"contains", ParamType::text, "only names that contain this text"},
              {"client", ParamType::client, "only this client"},
              {"group", ParamType::text,
               "only clients of this group of devices: its addresses and prefixes, and the "
               "addresses that leases have now for its MAC addresses; for the role operate"},
              {"type", ParamType::text, "only this query type, such as AAAA"},
              {"end", ParamType::text, "only this end, such as `servfail` (a verdict)"},
              {"rcode", ParamType::text, "only this response code, such as NXDOMAIN"},
              {"upstream", ParamType::text, "only answers of this upstream"},
              {"decision", ParamType::text, "only this decision of the policy, such as `blocked`"},
              {"list", ParamType::text,
               "only queries that this list decided: its path, URL or zone, or the last "
               "part of its path"},
              {"decided_by", ParamType::text, "only queries that the plugin with this tag decided"},
              {"rule", ParamType::text,
               "only queries that a line of the policy with this text decided"},
              kSeconds,
              kFrom,
              kTo,
              {"before_us", ParamType::number, "older ones: `next_us` of the result before"},
              {"after_us", ParamType::number, "newer ones: `back_us` of the result before"},
              {"ranges", ParamType::texts,
               "only these parts of the time, as FROM-TO in seconds since 1970, such as "
               "the evenings; the earliest first, at most 400"},
              {"limit", ParamType::number, "maximum number of queries (default: 100)", false, 1,
               kMostRows}},
         .run =
             [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                 auto filter = filter_of(asked);
                 if (!filter) return done(ops::bad_params(filter.error().text));
                 if (!add_group(asked, *filter, done)) return;
                 const bool asks_for_decisions = std::ranges::any_of(
                     kDecisionFilters, [&](const char* name) { return asked.has(name); });
                 filter->shows_decisions = may_see_decisions(asked);
                 if (asks_for_decisions && !filter->shows_decisions)
                     return done(decisions_forbidden());
                 read(
                     asked,
                     [filter = std::move(*filter)](const std::string& path) {
                         return read_history(path, filter);
                     },
                     done);
             },
         .members = "queries complete cut next_us? back_us?",
         .result = "the queries, where to go on, and whether the search ended because its time was "
                   "over (`cut`)"});
    methods.add({.name = "recorder.top",
                 .help = "Shows the most frequent names, clients and so on of a time.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .parameters = {kPlugin,
                                {"kind", ParamType::text, kKinds},
                                kSeconds,
                                kFrom,
                                kTo,
                                {"limit", ParamType::number, "maximum number of rows (default: 20)",
                                 false, 1, kMostKeys}},
                 .run =
                     [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                         const auto kind = kind_of(asked);
                         if (!kind) return done(ops::bad_params(kind.error().text));
                         const SumKind number = *kind;
                         if (number == SumKind::blocked_client && !may_see_decisions(asked))
                             return done(decisions_forbidden());
                         const Span span = span_of(asked, 3600);
                         const std::size_t limit = asked.number("limit", 20);
                         read(
                             asked,
                             [number, span, limit](const std::string& path) {
                                 return read_top(path, number, span, limit);
                             },
                             done);
                     },
                 .members = "kind from to bucket_seconds rows others queries complete",
                 .result = "the most frequent ones with their counts"});
    methods.add(
        {.name = "recorder.series",
         .help =
             "Shows queries, hit ratio and latency over time, or the queries of one name, client "
             "and so on.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters = {kPlugin,
                        kSeconds,
                        kFrom,
                        kTo,
                        {"step", ParamType::number,
                         "seconds of a bucket, rounded up to minutes or hours; without it, about "
                         "100 buckets",
                         false, 1, kMostSeconds},
                        {"key", ParamType::text,
                         "only this name, client and so on, by `kind`; minutes in which 500 others "
                         "were more frequent are missing"},
                        {"kind", ParamType::text, kKinds}},
         .run =
             [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                 const Span span = span_of(asked, 86'400);
                 const auto step = static_cast<std::int64_t>(asked.number("step", 0));
                 const auto kind = kind_of(asked);
                 if (!kind) return done(ops::bad_params(kind.error().text));
                 if (*kind == SumKind::blocked_client && !may_see_decisions(asked))
                     return done(decisions_forbidden());
                 if (asked.has("key")) {
                     SumKey of{*kind, asked.text("key")};
                     if (of.kind == SumKind::name || of.kind == SumKind::blocked_name) {
                         const auto wire = dns::name_from_text(of.key);
                         if (!wire)
                             return done(ops::bad_params("key is " + matchers::quoted(of.key) +
                                                         ": expected a domain name"));
                         of.key.clear();
                         put_name(*wire, of.key);
                     }
                     return read(
                         asked,
                         [of = std::move(of), span, step](const std::string& path) {
                             return read_course(path, of, span, step);
                         },
                         done);
                 }
                 read(
                     asked,
                     [span, step](const std::string& path) {
                         return read_series(path, span, step);
                     },
                     done);
             },
         .members = "from to bucket_seconds buckets complete",
         .result = "numbers for each part of the time"});
}

}  // namespace steer::recorder

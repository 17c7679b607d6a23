#include "control/observe/replay/replay_service.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "control/observe/recorder/recording.h"
#include "control/observe/replay/captured.h"
#include "control/observe/replay/decision.h"
#include "control/observe/replay/policy_run.h"
#include "control/program/reload/judge.h"
#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer::replay {
namespace {

namespace json = boost::json;
using ops::ParamType;
using ops::RpcCode;
using ops::RpcError;

constexpr std::chrono::seconds kFlushPatience{1};
constexpr std::uint64_t kMostTime = 32'503'680'000;  // the year 3000
constexpr std::size_t kMostDifferences = 10'000, kMostFacts = 20;
constexpr std::int64_t kMicroseconds = 1'000'000;

void add(json::array& out, std::string_view level, const std::vector<Error>& all) {
    for (const Error& one : all) {
        out.push_back(json::object{
            {"level", level}, {"file", one.file}, {"line", one.line}, {"text", one.text}});
    }
}

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Queries, and different ones.
struct Count {
    std::uint64_t queries = 0, distinct = 0;
    void add(const ReplayedQuery& query) {
        queries += query.queries;
        ++distinct;
    }
    [[nodiscard]] json::object to_json() const {
        return {{"queries", queries}, {"distinct", distinct}};
    }
};

std::string_view end_of(const Decision& decision) {
    return decision.is_known() ? label_of(decision.ending) : std::string_view("unknown");
}

// Two decisions for each query, put together.
class Summary {
  public:
    explicit Summary(std::size_t limit) : limit_(limit) {}

    void add(const ReplayedQuery& query, const Decision& before, const Decision& after) {
        switch (compare(before, after)) {
            case Compared::same:
                return same_.add(query);
            case Compared::unknown:
                unknown_.add(query);
                facts_[before.is_known() ? after.unknown : before.unknown] += query.queries;
                return;
            case Compared::different:
                break;
        }
        different_.add(query);
        changes_[{std::string(end_of(before)), std::string(end_of(after))}].add(query);
        if (differences_.size() >= limit_) return;
        json::object one{{"name", dns::name_to_text(query.name)},
                         {"type", ops::type_name(query.qtype)},
                         {"client", query.client.to_string()},
                         {"entry", query.entry},
                         {"queries", query.queries},
                         {"before", to_json(before)},
                         {"after", to_json(after)}};
        if (query.server) one["server"] = query.server->to_string();
        if (query.qclass != 1) one["class"] = ops::class_name(query.qclass);
        differences_.push_back(std::move(one));
    }
    void into(json::object& out) {
        out["same"] = same_.to_json();
        out["different"] = different_.to_json();
        out["unknown"] = unknown_.to_json();
        std::vector<std::pair<std::string, std::uint64_t>> facts(facts_.begin(), facts_.end());
        std::ranges::stable_sort(facts, std::greater{},
                                 &std::pair<std::string, std::uint64_t>::second);
        facts.resize(std::min(facts.size(), kMostFacts));
        json::array all_facts;
        for (const auto& [fact, queries] : facts)
            all_facts.push_back(json::object{{"fact", fact}, {"queries", queries}});
        out["unknown_facts"] = std::move(all_facts);
        json::array changes;
        for (const auto& [ends, count] : changes_) {
            json::object one{{"before", ends.first}, {"after", ends.second}};
            one["queries"] = count.queries;
            one["distinct"] = count.distinct;
            changes.push_back(std::move(one));
        }
        out["changes"] = std::move(changes);
        out["omitted"] = different_.distinct - differences_.size();
        out["differences"] = std::move(differences_);
    }

  private:
    const std::size_t limit_;
    Count same_, different_, unknown_;
    std::map<std::string, std::uint64_t> facts_;
    std::map<std::pair<std::string, std::string>, Count> changes_;
    json::array differences_;
};

RpcError refused(std::string why) {
    return {RpcCode::internal_error, std::move(why)};
}

std::string sentence_of(const std::vector<Error>& errors) {
    return errors.empty() ? std::string("no error is known") : errors.front().sentence();
}

}  // namespace

struct ReplayService::Request {
    Parts parts;
    std::optional<std::string> text;  // else the version
    std::string versions;
    std::uint64_t version = 0;
    std::optional<std::string> managed;  // the layer's text, over the configuration's file
    std::optional<std::string> records;  // of a capture; else those of the database
    std::string path;                    // of the database
    RecordedSpan span;
    std::size_t limit = 0;
    Now now{};
};

ReplayService::ReplayService(boost::asio::io_context& main_io, ConfigSource source)
    : main_io_(main_io), source_(std::move(source)) {}

void ReplayService::follow(const config::Settings& settings) {
    versions_ = settings.control.history;
    places_.clear();
    for (const auto& plan : recorder::recording_plans(settings)) {
        if (!plan.settings.path.empty())
            places_.push_back(
                {plan.tag, plan.settings.path, plan.settings.mask4, plan.settings.mask6});
    }
}

void ReplayService::add_methods(ops::Methods& methods, const Parts& parts) {
    methods.add(
        {.name = "configuration.replay",
         .help =
             "Lists recorded or captured queries that a configuration would answer in another way.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .role = AccessRole::admin,
         .parameters = {{"text", ParamType::text, "the whole configuration, as YAML"},
                        {"version", ParamType::number,
                         "an earlier text, by its number in configuration.history", false, 1},
                        {"managed", ParamType::text,
                         "the text of managed.yaml over the configuration's file"},
                        {"seconds", ParamType::number,
                         "how far back (default: 3600); without `from`", false, 1, kMostTime, "s"},
                        {"from", ParamType::number, "begin of the time, in seconds since 1970",
                         false, 0, kMostTime, "s"},
                        {"to", ParamType::number,
                         "end of the time, in seconds since 1970, not included; without it, now",
                         false, 0, kMostTime, "s"},
                        {"plugin", ParamType::text,
                         "the tag of a query_recorder; without it, the first with a database"},
                        {"records", ParamType::text,
                         "captured queries instead of a query_recorder's, as `steerctl replay` "
                         "sends them: a line each of QUERIES CLIENT SERVER TYPE CLASS NAME, then "
                         "RCODE and records of a known answer; types, class and rcode as numbers"},
                        {"limit", ParamType::number, "maximum number of differences (default: 100)",
                         false, 0, kMostDifferences}},
         .run = [this, parts](const ops::Arguments& asked,
                              const ops::RpcDone& done) { replay(asked, parts, done); },
         .members = "good problems from? to? queries? distinct? unreadable? complete? same? "
                    "different? unknown? unknown_facts? changes? differences? omitted?",
         .result =
             "`good`, problems, numbers of decisions, and the differences with both decisions"});
}

void ReplayService::replay(const ops::Arguments& asked, const Parts& parts,
                           const ops::RpcDone& done) {
    const int given = asked.has("text") + asked.has("version") + asked.has("managed");
    if (given != 1)
        return done(
            ops::bad_params("give either `text`, a configuration, or `version`, a number of "
                            "configuration.history, or `managed`, a text of managed.yaml"));
    Request request{.parts = parts,
                    .text = asked.find_text("text"),
                    .versions = versions_,
                    .version = asked.number("version", 0),
                    .managed = asked.find_text("managed"),
                    .records = asked.find_text("records"),
                    .path = {},
                    .span = {},
                    .limit = static_cast<std::size_t>(asked.number("limit", 100)),
                    .now = parts.clock.now()};
    if (!request.records) {
        if (auto wrong = choose_database(asked, request)) return done(*std::move(wrong));
    } else if (asked.has("seconds") || asked.has("from") || asked.has("to") ||
               asked.has("plugin")) {
        return done(
            ops::bad_params("`records` is given instead of `seconds`, `from`, `to` and `plugin`"));
    }
    begin(std::move(request), done);
}

std::optional<ops::RpcError> ReplayService::choose_database(const ops::Arguments& asked,
                                                            Request& request) const {
    const std::string tag = asked.text("plugin");
    const auto place = tag.empty() ? places_.begin() : std::ranges::find(places_, tag, &Place::tag);
    if (place == places_.end()) {
        if (!tag.empty())
            return ops::bad_params("no query_recorder " + matchers::quoted(tag) +
                                   " with a database is run by a server");
        return refused(
            "no queries are recorded: add a plugin with 'type: query_recorder' and 'args: { path: "
            "/var/lib/steerdns/queries.db }', and run it in the sequence of your servers");
    }
    const auto seconds = static_cast<std::int64_t>(asked.number("seconds", 3600));
    const auto to =
        static_cast<std::int64_t>(asked.number("to", static_cast<std::uint64_t>(now_s()) + 1));
    const auto from = asked.has("from") ? static_cast<std::int64_t>(asked.number("from", 0))
                                        : std::max<std::int64_t>(0, to - 1 - seconds);
    request.path = place->path;
    request.span = {.from_us = from * kMicroseconds,
                    .to_us = to * kMicroseconds,
                    .mask4 = place->mask4,
                    .mask6 = place->mask6};
    return std::nullopt;
}

void ReplayService::begin(Request request, const ops::RpcDone& done) {
    if (std::exchange(is_busy_, true))
        return done(refused("another replay is under way: try again when it has ended"));
    const auto begun = thread_.run([this, done, request = std::move(request)] {
        auto result = work(request);
        boost::asio::post(main_io_, [this, done, result = std::move(result)]() mutable {
            is_busy_ = false;
            done(std::move(result));
        });
    });
    if (begun) return;
    is_busy_ = false;
    done(refused(begun.error().text));
}

Result<Recorded> ReplayService::queries_of(const Request& request) const {
    if (request.records) return read_captured(*request.records);
    (void)request.parts.recorder.flush(kFlushPatience);
    return read_recorded(request.path, request.span, stop_);
}

ops::RpcResult ReplayService::work(const Request& request) const {
    std::string text;
    if (request.text) {
        text = *request.text;
    } else if (!request.managed) {
        auto kept = edit::History(request.versions).text(request.version);
        if (!kept) return ops::bad_params(kept.error().text);
        text = *std::move(kept);
    }
    json::array problems;
    const auto refuse = [&problems] {
        return json::value(json::object{{"good", false}, {"problems", std::move(problems)}});
    };
    const auto wanted =
        request.managed ? source_.with_layer(request.managed).load() : source_.load_text(text);
    add(problems, "warning", wanted.warnings);
    add(problems, "error", wanted.errors);
    if (!wanted.ok()) return refuse();
    const auto in_force = source_.load_in_force();
    if (!in_force.ok())
        return refused("the configuration in force cannot be read again: " +
                       sentence_of(in_force.errors) + "; correct it and reload");
    auto recorded = queries_of(request);
    if (!recorded)
        return request.records ? ops::bad_params(recorded.error().text)
                               : refused(recorded.error().sentence());

    std::vector<Decision> before;
    before.reserve(recorded->queries.size());
    {
        build::Registry registry;
        const auto built = judge(in_force.settings, registry);
        if (!built.ok())
            return refused("the configuration in force cannot be built again: " +
                           sentence_of(built.errors));
        PolicyRun run(in_force.settings, built, request.parts.buffers, request.now);
        for (ReplayedQuery& query : recorded->queries) {
            if (stop_) return refused("steerdnsd ends");
            before.push_back(run.decide_recorded(query));
        }
    }
    build::Registry registry;
    const auto built = judge(wanted.settings, registry);
    add(problems, "warning", built.warnings);
    add(problems, "error", built.errors);
    if (!built.ok()) return refuse();
    PolicyRun run(wanted.settings, built, request.parts.buffers, request.now);
    Summary summary(request.limit);
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (stop_) return refused("steerdnsd ends");
        summary.add(recorded->queries[i], before[i], run.decide(recorded->queries[i]));
    }
    json::object out{{"good", true},
                     {"problems", std::move(problems)},
                     {"complete", recorded->is_complete},
                     {"queries", recorded->sum},
                     {"distinct", recorded->queries.size()},
                     {"unreadable", recorded->unreadable}};
    if (!request.records) {
        const auto from = recorded->is_complete ? request.span.from_us : recorded->from_us;
        out["from"] = from / kMicroseconds;
        out["to"] = request.span.to_us / kMicroseconds;
    }
    summary.into(out);
    return json::value(std::move(out));
}

}  // namespace steer::replay

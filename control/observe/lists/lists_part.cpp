// Reports about lists and their rules, as a part of the daemon.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/lists/list_changes.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/awaited_lists.h"
#include "control/observe/lists/list_reports.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/fetch/fetch_part.h"

namespace steer {
namespace {

void write_matcher_metrics(ops::MetricWriter& writer, const Snapshot& snapshot) {
    if (snapshot.names == nullptr) return;
    const matchers::SuffixSize size = snapshot.names->suffix_size();
    writer.family("steerdns_matcher_rules");
    writer.sample({}, std::uint64_t{snapshot.names->rules()});
    writer.family("steerdns_matcher_names");
    writer.sample({}, std::uint64_t{size.names});
    writer.family("steerdns_matcher_names_bytes");
    writer.sample({}, std::uint64_t{size.bytes});
}

class ListsPart final : public Part {
  public:
    static constexpr std::string_view kName = "lists";
    using Needs = steer::Needs<MainLoop, Configuration, WorkersPart, FetchPart>;
    explicit ListsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          configuration_(needs.get<Configuration>()),
          workers_(needs.get<WorkersPart>()),
          fetch_(needs.get<FetchPart>()) {}

    Result<void> start() override {
        awaited_.begin(configuration_.lists());
        return {};
    }
    void add_methods(ops::Methods& methods) override;
    void follow(const config::Settings&, build::Built&) override {
        awaited_.follow(configuration_.lists());
    }
    void add_status(boost::json::object& all) override {
        all["lists"] = list_summary(configuration_.lists());
    }
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override {
        checks.push_back(
            {"lists", fetch_.fetcher() != nullptr ? awaited_.error() : "not loaded yet"});
    }

  private:
    [[nodiscard]] boost::json::value report();

    MainLoop& main_;
    Configuration& configuration_;
    WorkersPart& workers_;
    FetchPart& fetch_;
    AwaitedLists awaited_;
};

// Fetched lists, and the rules of all lists.
boost::json::value ListsPart::report() {
    boost::json::object all{{"lists", boost::json::array{}}};
    if (fetch_.fetcher() != nullptr) all = fetch_.fetcher()->status().as_object();
    all["sets"] = list_rules(configuration_.lists());
    return all;
}

void ListsPart::add_methods(ops::Methods& methods) {
    methods.add({.name = "lists",
                 .help = "Shows the rules of each list, and the state of lists from URLs.",
                 .changes = ops::Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .run = [this](const ops::Arguments&) -> ops::RpcResult { return report(); },
                 .members = "lists sets",
                 .result = "`lists`: those from URLs, with outcome and age; `sets`: their rules"});
    methods.add(
        {.name = "lists.fetch",
         .help = "Fetches all lists from URLs now; returns when changed lists are in force.",
         .changes = ops::Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kAnySize},
         .run =
             [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                 if (fetch_.fetcher() == nullptr)
                     return done(ops::RpcError{ops::RpcCode::internal_error, "not serving yet"});
                 fetch_.fetcher()->fetch_now([this, done] { done(report()); },
                                             asked.is_true("any_size"));
             },
         .members = "lists sets",
         .result = "as `lists`"});
    const auto snapshot = [this]() -> const Snapshot& { return workers_.snapshot(); };
    add_ad_list_methods(methods, snapshot, main_.clock());
    add_reverse_methods(methods, snapshot, main_.clock());
}

void ListsPart::write_metrics(ops::MetricWriter& writer) {
    write_collector_metrics(writer, workers_.snapshot().collectors);
    write_ad_list_metrics(writer, workers_.snapshot(), main_.clock().now());
    write_list_metrics(writer, configuration_.lists());
    write_matcher_metrics(writer, workers_.snapshot());
    if (fetch_.fetcher() == nullptr) return;
    writer.family("steerdns_lists_missing");
    writer.sample({}, std::uint64_t{config::lists_not_loaded(configuration_.lists()).size()});
}

void ListsPart::add_problems(Problems& problems) {
    for (const config::ReadList& list : configuration_.lists()) {
        if (list.bad_lines != 0)
            problems.push_back(
                {"lists", list.owner + ": " + std::to_string(list.bad_lines) +
                              (list.bad_lines == 1 ? " line is invalid" : " lines are invalid") +
                              " in " + list.source + "; the log names the first ones"});
    }
    const Now now = main_.clock().now();
    for (const AdList& list : workers_.snapshot().ad_lists) {
        const std::uint32_t left_s = pause_left_s(list, now);
        if (left_s == 0) continue;
        const bool has_legal = std::ranges::any_of(list.lists, &AdList::Part::is_legal);
        problems.push_back(
            {"lists", "adlist '" + list.tag + "' is paused for " + std::to_string(left_s) + " s: " +
                          (has_legal ? "only its legal lists block" : "it blocks nothing") +
                          "; `steerctl adlist resume` ends the pause"});
    }
}

}  // namespace

Parts::Maker lists_part() {
    return Parts::maker<ListsPart>();
}

}  // namespace steer

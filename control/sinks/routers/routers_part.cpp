#include "control/sinks/routers/routers_part.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "control/api/http/health_check.h"
#include "control/api/metrics/report_table.h"
#include "control/parts.h"
#include "control/sinks/routers/needed_lists.h"
#include "control/sinks/routers/router_findings.h"
#include "control/sinks/routers/router_methods.h"
#include "dataplane/event/event.h"
#include "dataplane/event/row_board.h"
#include "matchers/quote.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr double kSlowWriteUs = 25'000;
constexpr double kLongBacklogUs = 5'000'000;
constexpr int kMicrosecondsPerMs = 1'000;

// Of the thread, and of answers that arrived too late for workers.
RouterThread::Outcomes outcomes_of(const RouterThread& thread, const DataplaneRuntime& runtime) {
    auto outcomes = thread.outcomes();
    std::uint64_t late = 0;
    for (unsigned w = 0; w < runtime.workers(); ++w)
        late += runtime.worker(w).counters().get(Stat::hold_late);
    outcomes[static_cast<std::size_t>(Outcome::late)] = late;
    return outcomes;
}

std::string count_of(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

void add_router(const RouterThread::Status& router, bool is_bypassed, Problems& problems) {
    const auto& s = router.state;
    const std::string who = "router " + router.name;
    const auto add = [&problems](std::string text) {
        problems.push_back({"routers", std::move(text)});
    };
    if (s.paused && !is_bypassed)
        add(who + ": writes are paused; `steerctl routers resume` resumes them");
    if (!s.error.empty()) {
        add(s.error);
    } else if (s.state != routeros::RouterState::in_sync) {
        add(who + ": " + std::string(label(s.state)) +
            "; `steerctl routers errors` shows its last errors");
    }
    const double write_us = s.service_us.value_or(0);
    const bool is_slow =
        write_us > kSlowWriteUs || write_us * static_cast<double>(s.pending) > kLongBacklogUs;
    if (!s.away && !s.paused && is_slow)
        add(who + ": it lags: a write takes " +
            std::to_string(static_cast<long>(write_us) / kMicrosecondsPerMs) + " ms, and " +
            count_of(s.pending, "row waits", "rows wait") +
            "; check its CPU load, and `steerctl routers trace`");
    if (!s.late_backlog.empty()) add(who + ": " + s.late_backlog);
    if (s.rows_disabled != 0)
        add(who + ": " + s.disabled_row +
            (s.rows_disabled == 1 ? "" : ", and " + std::to_string(s.rows_disabled - 1) + " more") +
            "; enable or remove it: `steerctl doctor` names each");
    if (const std::size_t rest = s.rows_blocked - std::min(s.rows_disabled, s.rows_blocked);
        rest != 0)
        add(who + ": " + count_of(rest, "row is", "rows are") +
            " not written: a row of others has the address, or the router refuses it; "
            "`steerctl routers diff` lists them");
    if (s.left_alone != 0)
        add(who + ": " + count_of(s.left_alone, "row is", "rows are") +
            " left as a person changed them; `steerctl routers diff` lists them");
    if (s.rows_orphaned != 0)
        add(who + ": " + count_of(s.rows_orphaned, "row is", "rows are") +
            " of plugins that are not configured; `steerctl routers reconcile --orphans` removes "
            "them");
    for (const std::string& list : s.second_writers)
        add(who + ": another instance writes list " + matchers::quoted(list) +
            "; stop one of the two, or set `multi_writer` in both");
    for (const std::string& fleet : s.other_fleets) {
        std::string two = who;
        two.append(": fleet ").append(fleet);
        add(
            two.append(" writes it, too; give each fleet its own routers, or remove its row in "
                       "list steerdns-writer if it has ended"));
    }
    for (const auto& list : s.lists) {
        if (list.max_rows == 0 || list.claims < list.max_rows) continue;
        std::string full = who;
        full.append(": list ").append(matchers::quoted(list.tag)).append(" is full: ");
        full.append(count_of(list.claims, "claim", "claims")).append("; raise its `max_rows`");
        add(std::move(full));
    }
    for (const std::string& what : s.lacks) {
        std::string lacks = who;
        lacks.append(": RouterOS ").append(s.version).append(" does not have ").append(what);
        add(lacks.append("; upgrade it"));
    }
    if (s.routes_inactive != 0)
        add(who + ": " + count_of(s.routes_inactive, "route has", "routes have") +
            " an unreachable gateway; check the gateway");
}

constexpr std::array kSinkRows{
    ops::ReportRow<SinkHealth>{"", "steerdns_sink_away",
                               [](const SinkHealth& s) { return value(s.away); }},
    ops::ReportRow<SinkHealth>{"", "steerdns_sink_rows",
                               [](const SinkHealth& s) { return value(s.rows); }},
    ops::ReportRow<SinkHealth>{"", "steerdns_sink_owed_rows",
                               [](const SinkHealth& s) { return value(s.pending); }},
    ops::ReportRow<SinkHealth>{"", "steerdns_sink_capacity_rows",
                               [](const SinkHealth& s) { return value(s.capacity); }},
    ops::ReportRow<SinkHealth>{
        "", "steerdns_sink_write_seconds",
        [](const SinkHealth& s) { return s.write_us == 0 ? value() : value(s.write_us); }, 1e-6},
};

}  // namespace

Parts::Maker routers_part() {
    return Parts::maker<RoutersPart>();
}

RoutersPart::RoutersPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      cache_(needs.get<CachePart>()) {}

Result<void> RoutersPart::start() {
    cache_.set_forget_rows([this](auto addresses, auto done) {
        forget_rows(main_.io(), *thread_, std::move(addresses), std::move(done));
    });
    return {};
}

void RoutersPart::add_methods(ops::Methods& methods) {
    add_router_methods(methods, main_.io(), thread_,
                       [this] { return other_rows_ ? other_rows_() : array{}; });
}

RouterFindings RoutersPart::findings() {
    const std::string file = settings_.get().control.findings;
    if (file.empty()) return RouterFindings{};
    auto known = load_findings(file);
    if (!known) spdlog::warn("{}", known.error().sentence());
    return RouterFindings(known ? *known : RouterFindings::ByVersion{},
                          [this, file](const std::string& text) {
                              boost::asio::post(main_.io(), [file, text] {
                                  const auto saved = save_findings(file, text);
                                  if (!saved) spdlog::warn("{}", saved.error().sentence());
                              });
                          });
}

void RoutersPart::serve() {
    thread_ = std::make_unique<RouterThread>(workers_.runtime(), main_.clock(),
                                             configuration_.built().routers, events_.router_log(),
                                             findings());
    for (const Join& join : joins_)
        join(*thread_);
    thread_->start();
}

void RoutersPart::follow(const config::Settings& settings, build::Built& built) {
    std::vector<std::function<void()>> others;
    for (const Follow& take : follows_)
        others.push_back(take(settings, built));
    thread_->configure(std::move(built.routers), [others = std::move(others)] {
        for (const auto& apply : others)
            apply();
    });
}

// Behind the workers: each answer that left is claimed.
void RoutersPart::finish() {
    if (thread_) thread_->stop(RouterThread::kEndMs);
}

// ---- reports

void RoutersPart::add_status(object& all) {
    array routers;
    for (const auto& router : thread_->status())
        routers.push_back(router_status(router, main_.now_ms()));
    all["routers"] = std::move(routers);
    if (thread_->bypassed()) all["bypass"] = true;
}

void RoutersPart::add_counters(object& all) {
    const auto outcomes = outcomes_of(*thread_, workers_.runtime());
    object named;
    for (const auto& outcome : kOutcomes)
        named[outcome.label] = outcomes[static_cast<std::size_t>(outcome.which)];
    all["outcomes"] = std::move(named);
    array routers;
    for (const auto& router : thread_->status()) {
        object one{{"name", router.name}};
        ops::add_counts(one, routeros::kRouterCounters, router.counters);
        routers.push_back(std::move(one));
    }
    all["routers"] = std::move(routers);
}

void RoutersPart::write_metrics(ops::MetricWriter& writer) {
    const auto outcomes = outcomes_of(*thread_, workers_.runtime());
    writer.family("steerdns_outcomes");
    for (const auto& outcome : kOutcomes)
        writer.sample({{"outcome", outcome.label}},
                      outcomes[static_cast<std::size_t>(outcome.which)]);
    writer.family("steerdns_list_refusals");
    writer.sample({}, thread_->refusals());
    writer.family("steerdns_list_refusals_lost");
    writer.sample({}, thread_->refusals_lost());
    writer.family("steerdns_list_needed_hosts_skipped");
    writer.sample({}, thread_->needed_hosts_skipped());
    writer.family("steerdns_row_board_full");
    writer.sample({}, thread_->board_full());
    writer.family("steerdns_bypass");
    writer.sample({}, std::uint64_t{thread_->bypassed() ? 1U : 0U});
    for (const auto& router : thread_->status())
        write_router_metrics(writer, router, main_.now_ms());
    ops::write_gauges<SinkHealth>(writer, kSinkRows, thread_->sinks(),
                                  [](ops::MetricWriter& out, const SinkHealth& sink, auto number) {
                                      out.sample({{"sink", sink.name}}, number);
                                  });
}

void RoutersPart::add_problems(Problems& problems) {
    if (thread_->bypassed())
        problems.push_back(
            {"routers",
             "the bypass is on: no router is written to; `steerctl bypass off` ends it"});
    const RowBoard& board = *workers_.runtime().shared().board;
    if (board.size() >= board.capacity()) {
        problems.push_back(
            {"routers", "the row board is full (" + std::to_string(board.capacity()) +
                            " rows): answers with further rows are claimed each time; restart the "
                            "daemon if max_rows was raised, else raise dataplane.memory"});
    }
    for (const auto& router : thread_->status())
        add_router(router, thread_->bypassed(), problems);
}

void RoutersPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    checks.push_back(
        {"routers", thread_ ? needed_lists_error(thread_->needed(), main_.now_ms()) : ""});
}

}  // namespace steer

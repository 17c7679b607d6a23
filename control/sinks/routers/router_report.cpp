// What `status`, `routers` and the metrics report about a router.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "control/api/metrics/report_table.h"
#include "control/sinks/routers/router_methods.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using boost::json::value_from;
using ops::LeftOut;
using routeros::RouterState;
using routeros::RouterStatus;
using Status = RouterThread::Status;
using RouterRow = ops::ReportRow<Status>;

constexpr double kMs = 1e-3, kUs = 1e-6;

// Null before the rows were read once.
value once_read(const Status& router, std::size_t rows) {
    return router.state.rows_known ? value(rows) : value();
}

constexpr std::array kRouterRows{
    RouterRow{"name", {}, [](const Status& r) { return value(r.name); }},
    RouterRow{"address", {}, [](const Status& r) { return value(r.address); }},
    RouterRow{"state", {}, [](const Status& r) { return value(label(r.state.state)); }},
    RouterRow{"", "steerdns_router_in_sync",
              [](const Status& r) { return value(r.state.state == RouterState::in_sync); }},
    RouterRow{"paused", "steerdns_router_paused",
              [](const Status& r) { return value(r.state.paused); }},
    RouterRow{"away", "steerdns_router_away", [](const Status& r) { return value(r.state.away); }},
    RouterRow{"version", {}, [](const Status& r) { return value(r.state.version); }},
    RouterRow{"board", {}, [](const Status& r) { return value(r.state.board); }},
    RouterRow{"trouble", {}, [](const Status& r) { return value(r.state.error); }},
    RouterRow{"claims", "steerdns_router_claimed_addresses",
              [](const Status& r) { return value(r.state.claims); }},
    RouterRow{"rows", "steerdns_router_rows",
              [](const Status& r) { return once_read(r, r.state.rows_ours); }},
    RouterRow{"orphans", "steerdns_router_orphaned_rows",
              [](const Status& r) { return once_read(r, r.state.rows_orphaned); }},
    RouterRow{"foreign", "steerdns_router_foreign_rows",
              [](const Status& r) { return once_read(r, r.state.rows_foreign); }},
    RouterRow{"blocked", "steerdns_router_blocked_addresses",
              [](const Status& r) { return value(r.state.rows_blocked); }},
    RouterRow{"shared", "steerdns_router_shared_addresses",
              [](const Status& r) { return value(r.shared); }},
    RouterRow{"held", "steerdns_router_held_answers",
              [](const Status& r) { return value(r.state.held); }},
    RouterRow{"owed", "steerdns_router_owed_rows",
              [](const Status& r) { return value(r.state.pending); }},
    RouterRow{"lag_ms", "steerdns_router_lag_seconds",
              [](const Status& r) { return value(r.state.lag_ms); }, kMs},
    RouterRow{"cpu_share_percent",
              {},
              [](const Status& r) { return value(std::lround(r.state.routine_share * 100)); }},
    RouterRow{"service_us", "steerdns_router_add_seconds",
              [](const Status& r) { return value_from(r.state.service_us); }, kUs},
    RouterRow{"rtt_ms", "steerdns_router_round_trip_seconds",
              [](const Status& r) { return value_from(r.state.rtt_ms); }, kMs},
    RouterRow{"", "steerdns_router_backlog_seconds",
              [](const Status& r) { return value(r.state.backlog_ms); }, kMs},
    RouterRow{"", "steerdns_router_queued_writes",
              [](const Status& r) { return value(r.state.queued); }},
    RouterRow{"", "steerdns_router_writes_in_flight",
              [](const Status& r) { return value(r.state.writes_in_flight); }},
    RouterRow{"", "steerdns_router_second_writers",
              [](const Status& r) { return value(r.state.second_writers.size()); }},
    RouterRow{"flash_sectors_since_reboot",
              {},
              [](const Status& r) { return value_from(r.state.flash_since_reboot); },
              1,
              LeftOut::null},
    RouterRow{"flash_sectors", "steerdns_router_flash_sectors",
              [](const Status& r) { return value_from(r.state.flash_total); }, 1, LeftOut::null},
    RouterRow{"flash_sectors_per_hour",
              {},
              [](const Status& r) { return value_from(r.state.flash_per_hour); },
              1,
              LeftOut::null},
};

// The JSON has these while there is something to see.
constexpr std::array kRareRows{
    RouterRow{"left_alone", "steerdns_router_left_alone_addresses",
              [](const Status& r) { return value(r.state.left_alone); }, 1, LeftOut::null_and_zero},
    RouterRow{"late", "steerdns_router_late_addresses",
              [](const Status& r) { return value(r.state.late); }, 1, LeftOut::null_and_zero},
    RouterRow{"routes_inactive", "steerdns_router_routes_inactive",
              [](const Status& r) { return value(r.state.routes_inactive); }, 1,
              LeftOut::null_and_zero},
    RouterRow{"routes_kept", "steerdns_router_routes_kept",
              [](const Status& r) { return value(r.state.routes_kept); }, 1,
              LeftOut::null_and_zero},
    RouterRow{"unknown_sentences",
              {},
              [](const Status& r) { return value(r.counters.unknown_sentences); },
              1,
              LeftOut::null_and_zero},
};

void write_work(ops::MetricWriter& writer, std::string_view name, const RouterStatus& state) {
    for (std::size_t i = 0; i < routeros::kWriteClasses; ++i) {
        const std::string_view cls = routeros::kWriteClassLabels[i];
        writer.family("steerdns_router_written_rows");
        writer.sample({{"router", name}, {"class", cls}}, state.work[i].rows);
        writer.family("steerdns_router_write_work_seconds");
        writer.sample({{"router", name}, {"class", cls}}, state.work[i].work_s);
        writer.family("steerdns_router_write_work_limit_ratio");
        writer.sample({{"router", name}, {"class", cls}}, state.work[i].share);
    }
    writer.family("steerdns_router_row_delay_seconds");
    writer.latencies({{"router", name}}, routeros::RowDelays::kBoundsMs, state.add_delays.counts,
                     state.add_delays.sum_s);
}

}  // namespace

double seconds_ago(std::uint64_t at_ms, std::uint64_t now_ms) {
    return static_cast<double>(now_ms - std::min(at_ms, now_ms)) / 1000.0;
}

object findings_object(const routeros::Findings& findings) {
    object all;
    for (std::size_t i = 0; i < routeros::kQuestions; ++i) {
        const auto question = static_cast<routeros::Question>(i);
        const routeros::Finding& found = findings[question];
        all[label(question)] = {
            {"question", text_of(question)}, {"answer", label(found.answer)}, {"text", found.text}};
    }
    return all;
}

object router_status(const Status& router, std::uint64_t now_ms) {
    const RouterStatus& s = router.state;
    object all;
    ops::add_members(all, kRouterRows, router);
    if (s.findings) all["findings"] = findings_object(*s.findings);
    array lists;
    for (const auto& list : s.lists)
        lists.push_back(
            object{{"tag", list.tag}, {"claims", list.claims}, {"max_rows", list.max_rows}});
    all["lists"] = std::move(lists);
    if (!s.lacks.empty()) all["version_lacks"] = value_from(s.lacks);
    if (!s.second_writers.empty()) all["second_writer"] = value_from(s.second_writers);
    ops::add_members(all, kRareRows, router);
    if (s.repair_refused) all["repair_refused"] = true;
    if (s.away_since_ms != 0) {
        all["away_for_s"] = seconds_ago(s.away_since_ms, now_ms);
        all["told_meanwhile"] = s.claims_while_away;
    }
    return all;
}

void write_router_metrics(ops::MetricWriter& writer, const Status& router, std::uint64_t now_ms) {
    const RouterStatus& state = router.state;
    const std::string_view name = router.name;
    const std::span one(&router, 1);
    const auto sample = [](ops::MetricWriter& out, const Status& of, auto number) {
        out.sample({{"router", of.name}}, number);
    };
    ops::write_gauges<Status>(writer, kRouterRows, one, sample);
    ops::write_gauges<Status>(writer, kRareRows, one, sample);
    if (!state.version.empty()) {
        writer.family("steerdns_router_info");
        writer.sample({{"router", name}, {"version", state.version}, {"board", state.board}},
                      std::uint64_t{1});
    }
    writer.family("steerdns_router_away_seconds");
    const std::uint64_t away_ms =
        state.away_since_ms == 0 ? 0 : now_ms - std::min(state.away_since_ms, now_ms);
    writer.sample({{"router", name}}, static_cast<double>(away_ms) / 1000);
    for (const auto& list : state.lists) {
        writer.family("steerdns_router_list_claims");
        writer.sample({{"router", name}, {"list", list.tag}}, std::uint64_t{list.claims});
        writer.family("steerdns_router_list_limit_rows");
        writer.sample({{"router", name}, {"list", list.tag}}, std::uint64_t{list.max_rows});
    }
    write_work(writer, name, state);
    ops::write_counts(
        writer, "steerdns_router_", routeros::kRouterCounters, one,
        [](const Status& of) -> const auto& { return of.counters; }, sample);
}

}  // namespace steer

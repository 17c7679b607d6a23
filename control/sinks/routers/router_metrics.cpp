#include "control/sinks/routers/router_methods.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace steer {
namespace {

using routeros::RouterState;
using routeros::RouterStatus;
using Status = RouterThread::Status;

struct Family {
    ops::KnownMetric metric;
    std::uint64_t (*of)(const Status&);
};

constexpr std::array kFamilies{
    Family{"steerdns_router_in_sync",
           [](const Status& r) {
               return std::uint64_t{r.state.state == RouterState::in_sync ? 1U : 0U};
           }},
    Family{"steerdns_router_away",
           [](const Status& r) { return std::uint64_t{r.state.away ? 1U : 0U}; }},
    Family{"steerdns_router_paused",
           [](const Status& r) { return std::uint64_t{r.state.paused ? 1U : 0U}; }},
    Family{"steerdns_router_owed_rows",
           [](const Status& r) -> std::uint64_t { return r.state.pending; }},
    Family{"steerdns_router_queued_writes",
           [](const Status& r) -> std::uint64_t { return r.state.queued; }},
    Family{"steerdns_router_writes_in_flight",
           [](const Status& r) -> std::uint64_t { return r.state.writes_in_flight; }},
    Family{"steerdns_router_held_answers",
           [](const Status& r) -> std::uint64_t { return r.state.held; }},
    Family{"steerdns_router_blocked_addresses",
           [](const Status& r) -> std::uint64_t { return r.state.rows_blocked; }},
    Family{"steerdns_router_left_alone_addresses",
           [](const Status& r) -> std::uint64_t { return r.state.left_alone; }},
    Family{"steerdns_router_late_addresses",
           [](const Status& r) -> std::uint64_t { return r.state.late; }},
    Family{"steerdns_router_second_writers",
           [](const Status& r) -> std::uint64_t { return r.state.second_writers.size(); }},
    Family{"steerdns_router_routes_inactive",
           [](const Status& r) -> std::uint64_t { return r.state.routes_inactive; }},
    Family{"steerdns_router_routes_kept",
           [](const Status& r) -> std::uint64_t { return r.state.routes_kept; }},
    Family{"steerdns_router_shared_addresses",
           [](const Status& r) -> std::uint64_t { return r.shared; }},
    Family{"steerdns_router_claimed_addresses",
           [](const Status& r) -> std::uint64_t { return r.state.claims; }},
};

// Known once the rows were read.
constexpr std::array kRows{
    Family{"steerdns_router_rows",
           [](const Status& r) -> std::uint64_t { return r.state.rows_ours; }},
    Family{"steerdns_router_orphaned_rows",
           [](const Status& r) -> std::uint64_t { return r.state.rows_orphaned; }},
    Family{"steerdns_router_foreign_rows",
           [](const Status& r) -> std::uint64_t { return r.state.rows_foreign; }},
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

void write_router_metrics(ops::MetricWriter& writer, const Status& router, std::uint64_t now_ms) {
    const RouterStatus& state = router.state;
    const std::string_view name = router.name;
    for (const Family& family : kFamilies) {
        writer.family(family.metric);
        writer.sample({{"router", name}}, family.of(router));
    }
    for (const Family& family : kRows) {
        if (!state.rows_known) continue;
        writer.family(family.metric);
        writer.sample({{"router", name}}, family.of(router));
    }
    if (!state.version.empty()) {
        writer.family("steerdns_router_info");
        writer.sample({{"router", name}, {"version", state.version}, {"board", state.board}},
                      std::uint64_t{1});
    }
    writer.family("steerdns_router_away_seconds");
    const std::uint64_t away_ms =
        state.away_since_ms == 0 ? 0 : now_ms - std::min(state.away_since_ms, now_ms);
    writer.sample({{"router", name}}, static_cast<double>(away_ms) / 1000);
    writer.family("steerdns_router_lag_seconds");
    writer.sample({{"router", name}}, static_cast<double>(state.lag_ms) / 1000);
    writer.family("steerdns_router_backlog_seconds");
    writer.sample({{"router", name}}, static_cast<double>(state.backlog_ms) / 1000);
    if (state.rtt_ms) {
        writer.family("steerdns_router_round_trip_seconds");
        writer.sample({{"router", name}}, static_cast<double>(*state.rtt_ms) / 1000);
    }
    if (state.service_us) {
        writer.family("steerdns_router_add_seconds");
        writer.sample({{"router", name}}, *state.service_us / 1e6);
    }
    if (state.flash_total) {
        writer.family("steerdns_router_flash_sectors");
        writer.sample({{"router", name}}, *state.flash_total);
    }
    for (const auto& list : state.lists) {
        writer.family("steerdns_router_list_claims");
        writer.sample({{"router", name}, {"list", list.tag}}, std::uint64_t{list.claims});
        writer.family("steerdns_router_list_limit_rows");
        writer.sample({{"router", name}, {"list", list.tag}}, std::uint64_t{list.max_rows});
    }
    write_work(writer, name, state);
    for (const auto& counter : routeros::kRouterCounters) {
        writer.counter("steerdns_router_" + std::string(counter.label), counter.text);
        writer.sample({{"router", name}}, router.counters.*counter.which);
    }
}

}  // namespace steer

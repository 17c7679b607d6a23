// The methods of the control socket: every service's, and the daemon's own.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "control/cache/cache_methods.h"
#include "control/daemon.h"
#include "control/observe/lists/ad_list_methods.h"
#include "control/observe/lists/reverse_methods.h"
#include "control/sinks/fleet/fleet_methods.h"
#include "control/sinks/routers/router_methods.h"
#include "matchers/version.h"

namespace steer {

using ops::Changes;
using ops::ParamType;

namespace {

// Then the last copies of its status are shown.
constexpr std::chrono::seconds kRoutersPatience{1};

// A report with the routers' state of this moment, as `routers` shows it.
ops::Later with_routers(boost::asio::io_context& main_io,
                        const std::unique_ptr<RouterThread>& routers,
                        std::function<boost::json::value()> report) {
    return [&main_io, &routers, report = std::move(report)](const ops::Arguments&,
                                                            const ops::RpcDone& done) {
        const auto timer = std::make_shared<boost::asio::steady_timer>(main_io, kRoutersPatience);
        timer->async_wait(
            [report, done, timer](const boost::system::error_code&) { done(report()); });
        routers->refresh(
            [&main_io, timer] { boost::asio::post(main_io, [timer] { timer->cancel(); }); });
    };
}

}  // namespace

void Daemon::add_methods() {
    const auto snapshot = [this]() -> const Snapshot& { return *publisher_->current(); };
    add_looks();
    add_changes();
    add_ad_list_methods(methods_, snapshot, clock_);
    add_reverse_methods(methods_, snapshot, clock_);
    add_cache_methods(methods_, cache_methods());
    add_router_methods(methods_, main_io_, routers_, [this] { return opnsense_status(); });
    fleet::add_fleet_methods(methods_, main_io_, fleet_);
    why_->add_methods(methods_);
    traces_->begin({*runtime_, *streams_, routers_, clock_, in_force_,
                    [this](std::uint32_t generation) { return publisher_->find(generation); }});
    traces_->add_methods(methods_);
    hits_->add_methods(methods_, *query_records_);
    rules_->add_methods(methods_);
    statics_->add_methods(methods_);
    edits_->add_methods(methods_);
    captures_ = std::make_unique<CaptureService>(main_io_, *runtime_, *query_records_, clock_);
    captures_->add_methods(methods_);
    replays_->add_methods(methods_, {*recorder_, runtime_->buffers(), clock_});
    leases_->add_methods(methods_);
    router_lists_->add_methods(methods_);
    doctor_reports_.add_methods(methods_);
    recorder_methods_->add_methods(methods_);
}

std::optional<CacheMethods> Daemon::cache_methods() {
    if (!cache_service_) return std::nullopt;
    const auto lookups = [this](std::uint16_t instance) {
        CacheLookupSums sums;
        for (unsigned w = 0; w < runtime_->workers(); ++w) {
            const CacheLookups& of = runtime_->worker(w).counters().caches[instance];
            sums.hits += of.hits.get();
            sums.misses += of.misses.get();
            sums.stale += of.stale.get();
        }
        return sums;
    };
    return CacheMethods{*cache_service_,
                        *runtime_->shared().cache,
                        lookups,
                        clock_,
                        in_force_,
                        [this](auto addresses, auto done) {
                            forget_rows(main_io_, *routers_, std::move(addresses), std::move(done));
                        }};
}

void Daemon::add_looks() {
    methods_.add({.name = "status",
                  .help = "Shows readiness, ports, workers, cache, routers, sets and upstreams.",
                  .changes = Changes::nothing(),
                  .run = with_routers(main_io_, routers_, [this] { return status(); }),
                  .members = "version uptime_s pid config generation ready problems reload lists "
                             "ports addresses workers threads memory resident_bytes? open_files? "
                             "cpu_s simd cache? routers bypass? sets? opnsense? upstreams "
                             "certificates connections mdns?",
                  .result = "one object with a part for each subject"});
    methods_.add(
        {.name = "counters",
         .help = "Shows the verdicts and counters of all workers.",
         .changes = Changes::nothing(),
         .run = with_routers(main_io_, routers_, [this] { return counters(); }),
         .members = "workers outcomes routers sets? opnsense? streams mdns? ports exceptions "
                    "announcements",
         .result = "numbers since the start: of workers, routers, sets, streams and ports"});
    methods_.add({.name = "version",
                  .help = "Shows the version of steerdnsd.",
                  .changes = Changes::nothing(),
                  .run = [](const ops::Arguments&) -> ops::RpcResult {
                      return boost::json::value{{"version", kVersion}};
                  },
                  .members = "version",
                  .result = "`version`"});
    methods_.add({.name = "lists",
                  .help = "Shows the rules of each list, and the state of lists from URLs.",
                  .changes = Changes::nothing(),
                  .run = [this](const ops::Arguments&) -> ops::RpcResult { return lists_status(); },
                  .members = "lists sets",
                  .result = "`lists`: those from URLs, with outcome and age; `sets`: their rules"});
}

void Daemon::add_changes() {
    constexpr ops::Parameter kAnySize{
        "any_size", ParamType::flag,
        "true: accept lists that lost more rules than max_shrink allows"};
    methods_.add({.name = "reload",
                  .help = "Reloads the configuration and its files.",
                  .changes = Changes::always(),
                  .parameters = {kAnySize},
                  .run =
                      [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                          reload(
                              "steerctl",
                              [done](const ReloadOutcome& outcome) { done(to_json(outcome)); },
                              asked.is_true("any_size"));
                      },
                  .members = "generation took_ms warnings errors",
                  .result = "the generation in force, the time it took, warnings and errors"});
    methods_.add(
        {.name = "lists.fetch",
         .help = "Fetches all lists from URLs now; returns when changed lists are in force.",
         .changes = Changes::always(),
         .parameters = {kAnySize},
         .run =
             [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                 if (!fetcher_)
                     return done(ops::RpcError{ops::RpcCode::internal_error, "not serving yet"});
                 fetcher_->fetch_now([this, done] { done(lists_status()); },
                                     asked.is_true("any_size"));
             },
         .members = "lists sets",
         .result = "as `lists`"});
    methods_.add({.name = "drain",
                  .help = "Makes /readyz fail, so that load balancers send no new clients.",
                  .changes = Changes::with("on"),
                  .parameters = {{"on", ParamType::flag,
                                  "the new state; without it, the state is only reported"}},
                  .run = [this](const ops::Arguments& asked) -> ops::RpcResult {
                      if (asked.has("on")) drain(asked.is_true("on"));
                      return boost::json::value{{"draining", is_draining_}};
                  },
                  .members = "draining",
                  .result = "`draining`"});
}

}  // namespace steer

#include "control/observe/health/health_part.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "control/api/metrics/metrics.h"
#include "control/host/process/service_manager.h"
#include "control/parts.h"
#include "control/sinks/fleet/withdrawal.h"
#include "matchers/version.h"

namespace steer {
namespace {

// Above any number of sleeps between two checks.
constexpr std::uint64_t kManySleeps = std::uint64_t{1} << 40;
constexpr std::uint64_t kMainLoopPatienceMs = 5'000;
constexpr std::uint64_t kReadinessEveryMs = 500;

// Order of conditions in reports; others follow.
constexpr std::array<std::string_view, 11> kConditions{"threads",  "ports",   "upstreams", "lists",
                                                       "zones",    "routers", "overload",  "drain",
                                                       "shutdown", "doctor",  "fleet"};

}  // namespace

Parts::Maker health_part() {
    return Parts::maker<HealthPart>();
}

HealthPart::HealthPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      streams_(needs.get<StreamsPart>()),
      reload_(needs.get<ReloadPart>()),
      routers_(needs.get<RoutersPart>()),
      fleet_(needs.get<FleetPart>()),
      parts_(needs.parts()) {}

void HealthPart::add_methods(ops::Methods& methods) {
    methods.add({.name = "drain",
                 .help = "Makes /readyz fail, so that load balancers send no new clients.",
                 .changes = ops::Changes::with("on"),
                 .piece = ops::Piece::small(),
                 .parameters = {{"on", ops::ParamType::flag,
                                 "the new state; without it, the state is only reported"}},
                 .run = [this](const ops::Arguments& asked) -> ops::RpcResult {
                     if (asked.has("on")) {
                         main_.set_drained(asked.is_true("on"));
                         for (const auto& part : parts_.all())
                             part->drain(main_.is_draining());
                     }
                     return boost::json::value{{"draining", main_.is_drained()}};
                 },
                 .members = "draining",
                 .result = "`draining`"});
}

Result<void> HealthPart::open() {
    const auto& http = settings_.get().control.http;
    if (!http) return {};
    http_ = std::make_unique<ops::MetricsServer>(
        main_.io(), ops::HttpContent{.metrics = {[this](ops::MetricWriter& writer) {
                                         for (const auto& part : parts_.all())
                                             part->write_metrics(writer);
                                     }},
                                     .live = [this] { return liveness(); },
                                     .ready = [this] { return readiness(); }});
    if (auto done = http_->listen(http->address, http->port); !done)
        return Error{done.error().text, settings_.get().file, http->line};
    return {};
}

void HealthPart::serve() {
    polled_ms_ = main_.now_ms();
    start_watchdog();
}

// Everything that the watchdog calls is atomic, or constant while it runs.
void HealthPart::start_watchdog() {
    heartbeat_.begin();
    std::vector<Watchdog::Watched> all;
    const auto add_thread = [&all](std::string name, const Heartbeat& heartbeat) {
        all.push_back({std::move(name), [&heartbeat] { return heartbeat.tid(); },
                       [&heartbeat] { return heartbeat.count(); }});
    };
    add_thread("main", heartbeat_);
    add_thread("routers", routers_.thread()->heartbeat());
    for (unsigned t = 0; t < streams_.threads().count(); ++t)
        add_thread("streams " + std::to_string(t), streams_.threads().heartbeat(t));
    // A worker that is awake passes quiescent states. One that sleeps is woken, and sleeps again.
    auto* const qsbr = workers_.runtime().shared().qsbr;
    for (unsigned w = 0; w < workers_.runtime().workers(); ++w) {
        all.push_back({"worker " + std::to_string(w),
                       [this, w] { return workers_.runtime().worker_tid(w); },
                       [this, w, qsbr] {
                           const std::uint64_t seen =
                               __atomic_load_n(&qsbr->qsbr_cnt[w].cnt, __ATOMIC_RELAXED);
                           return seen * kManySleeps +
                                  workers_.runtime().worker(w).counters().get(Stat::sleeps);
                       },
                       [this, w, qsbr] {
                           if (w == 0) rte_rcu_qsbr_start(qsbr);  // each passes it with a turn
                           workers_.runtime().worker_sleeper(w).wake();
                       }});
    }
    watchdog_ = std::make_unique<Watchdog>(std::move(all));
    watchdog_->start();
}

void HealthPart::poll() {
    polled_ms_ = main_.now_ms();
    const ops::HealthChecks checks = conditions();
    inform_fleet(checks);
    publish(served(checks));
    heartbeat_.beat();
    check_helpers();
}

void HealthPart::stop() {
    if (http_) http_->close();
}

// ---- readiness

void HealthPart::drain(bool) {
    inform_service_manager();
    publish(readiness());
}

// For `systemctl status`.
void HealthPart::inform_service_manager() const {
    notify_service_manager(main_.ends_ms() ? "STATUS=ending: /readyz fails, queries are answered"
                           : main_.is_drained()
                               ? "STATUS=draining: /readyz fails, queries are answered"
                               : "STATUS=serving");
}

// An event for each change; for subscribers, a sign of life, too: one that receives nothing knows that this process
// hangs.
void HealthPart::publish(const ops::HealthChecks& checks) {
    const std::string error = ops::health_line(checks);
    const std::uint64_t now_ms = main_.now_ms();
    const bool is_ready = error.empty();
    // The text can change each second; the log needs the change of the state alone.
    if (is_ready != published_.is_ready) {
        events_.tell(ops::EventKind::readiness,
                     is_ready ? ops::EventLevel::info : ops::EventLevel::warning,
                     is_ready ? "ready" : "not ready: " + error);
    } else if (error == published_.error && now_ms - published_.at_ms < kReadinessEveryMs) {
        return;
    }
    published_ = {is_ready, now_ms, error};
    events_.subscriptions()->publish(ops::Topic::readiness, {}, [&] {
        return boost::json::object{{"ready", is_ready}, {"trouble", error}};
    });
}

ops::HealthChecks HealthPart::liveness() const {
    const std::uint64_t idle_ms =
        main_.now_ms() - polled_ms_;  // of the timer, which the loop serves
    const auto error = [this](std::string_view threads) {
        return watchdog_ ? watchdog_->error(threads) : std::string{};
    };
    return {{"main_loop", idle_ms < kMainLoopPatienceMs
                              ? ""
                              : "blocked for " + std::to_string(idle_ms / 1000) + " s"},
            {"workers", error("worker")},
            {"routers", error("routers")},
            {"streams", error("streams")}};
}

ops::HealthChecks HealthPart::conditions() const {
    ops::HealthChecks checks;
    for (const auto& part : parts_.all())
        part->add_conditions(checks);
    std::ranges::stable_sort(checks, {}, [](const ops::HealthCheck& check) {
        return std::ranges::find(kConditions, check.name) - kConditions.begin();
    });
    return checks;
}

void HealthPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    checks.push_back({"threads", ops::health_line(liveness())});
    checks.push_back({"drain", main_.is_drained() ? "draining: `steerctl drain off` ends it" : ""});
    std::string ending;
    if (const auto ends_ms = main_.ends_ms()) {
        const std::uint64_t now_ms = main_.now_ms();
        const std::uint64_t left_s = *ends_ms > now_ms ? (*ends_ms - now_ms + 999) / 1000 : 0;
        ending = "ending in " + std::to_string(left_s) + " s (`shutdown_delay`)";
    }
    checks.push_back({"shutdown", std::move(ending)});
}

ops::HealthChecks HealthPart::served(ops::HealthChecks checks) const {
    if (const auto view = fleet_.view();
        view.is_kept_serving && fleet::fitness_of(checks) == fleet::Fitness::failing)
        fleet::keep_serving(checks, view.held_for);
    return checks;
}

// What the other boxes see of this one. They see by themselves that it drains or ends.
void HealthPart::inform_fleet(const ops::HealthChecks& checks) {
    const bool is_ready = std::ranges::all_of(checks, [](const ops::HealthCheck& check) {
        return check.is_good() || check.name == "drain" || check.name == "shutdown";
    });
    fleet::BoxFacts now{.version = kVersion,
                        .configuration = reload_.configuration_hash(),
                        .is_ready = is_ready,
                        .is_draining = main_.is_draining(),
                        .fitness = fleet::fitness_of(checks),
                        .addresses = workers_.hop_table().service_addresses};
    if (now == facts_) return;
    facts_ = std::move(now);
    fleet_.set_facts(facts_);
}

// ---- helper threads

void HealthPart::check_helpers() {
    if (!watchdog_) return;
    auto now = watchdog_->stuck_helpers();
    const auto is_in = [](const auto& all, const HelperWatch::Stuck& one) {
        return std::ranges::count(all, one.serial, &HelperWatch::Stuck::serial) != 0;
    };
    for (const auto& one : now) {
        if (!is_in(stuck_helpers_, one))
            events_.tell(ops::EventKind::thread, ops::EventLevel::warning,
                         one.sentence() +
                             "; the log has its stack: check the disk or file that it waits for");
    }
    for (const auto& one : stuck_helpers_) {
        if (!is_in(now, one))
            events_.tell(ops::EventKind::thread, ops::EventLevel::info,
                         "helper " + one.name + " is not stuck any more");
    }
    stuck_helpers_ = std::move(now);
}

// ---- reports

void HealthPart::add_status(boost::json::object& all) {
    boost::json::array failed;
    for (const auto& check : readiness()) {
        if (!check.is_good()) failed.emplace_back(std::string(check.name) + ": " + check.error);
    }
    if (failed.empty()) {
        all["ready"] = "yes";
    } else {
        all["ready"] = std::move(failed);
    }
}

void HealthPart::write_metrics(ops::MetricWriter& writer) {
    writer.family("steerdns_live");
    for (const auto& check : liveness())
        writer.sample({{"condition", check.name}}, std::uint64_t{check.is_good() ? 1U : 0U});
    writer.family("steerdns_ready");
    for (const auto& check : readiness())
        writer.sample({{"condition", check.name}}, std::uint64_t{check.is_good() ? 1U : 0U});
    if (!watchdog_) return;
    writer.family("steerdns_thread_still_seconds");
    for (const auto& [thread, still_ms] : watchdog_->pulses())
        writer.sample({{"thread", thread}}, static_cast<double>(still_ms) / 1000);
}

void HealthPart::add_problems(Problems& problems) {
    for (const auto& checks : {liveness(), conditions()}) {
        for (const auto& check : checks) {
            // Those of upstreams, one by one, are reported by their part.
            if (!check.is_good() && check.name != "upstreams")
                problems.push_back({"health", std::string(check.name) + ": " + check.error});
        }
    }
    for (const auto& helper : stuck_helpers_)
        problems.push_back(
            {"health", helper.sentence() +
                           "; the log has its stack: check the disk or file that it waits "
                           "for"});
}

}  // namespace steer

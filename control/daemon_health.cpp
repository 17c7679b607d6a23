// Liveness and readiness for /livez, /readyz and `steerctl status`.
#include <rte_rcu_qsbr.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "control/daemon.h"
#include "control/observe/health/needed_lists.h"
#include "matchers/version.h"

namespace steer {
namespace {

// Above any number of sleeps between two looks.
constexpr std::uint64_t kManySleeps = std::uint64_t{1} << 40;
constexpr std::uint64_t kMainLoopPatienceMs = 5'000;
constexpr std::uint64_t kCertificatesEveryMs = 60'000;
constexpr std::uint64_t kReadinessEveryMs = 500;

// Texts in a row; empty: none.
void add(std::string& all, const std::string& one) {
    if (!one.empty()) all += (all.empty() ? "" : ", ") + one;
}

std::int64_t wall_s() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

}  // namespace

// Everything that the watchdog calls is atomic, or constant while it runs.
void Daemon::start_watchdog() {
    heartbeat_.begin();
    std::vector<Watchdog::Watched> all;
    const auto add_thread = [&all](std::string name, const Heartbeat& heartbeat) {
        all.push_back({std::move(name), [&heartbeat] { return heartbeat.tid(); },
                       [&heartbeat] { return heartbeat.count(); }});
    };
    add_thread("main", heartbeat_);
    add_thread("routers", routers_->heartbeat());
    for (unsigned t = 0; t < streams_->count(); ++t)
        add_thread("streams " + std::to_string(t), streams_->heartbeat(t));
    // A worker that is awake passes quiescent states. One that sleeps is woken, and sleeps again.
    auto* const qsbr = runtime_->shared().qsbr;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        all.push_back({"worker " + std::to_string(w), [this, w] { return runtime_->worker_tid(w); },
                       [this, w, qsbr] {
                           const std::uint64_t seen =
                               __atomic_load_n(&qsbr->qsbr_cnt[w].cnt, __ATOMIC_RELAXED);
                           return seen * kManySleeps +
                                  runtime_->worker(w).counters().get(Stat::sleeps);
                       },
                       [this, w, qsbr] {
                           if (w == 0) rte_rcu_qsbr_start(qsbr);  // each passes it with a turn
                           runtime_->worker_sleeper(w).wake();
                       }});
    }
    watchdog_ = std::make_unique<Watchdog>(std::move(all));
    watchdog_->start();
}

void Daemon::drain(bool on) {
    is_draining_ = on;
    streams_->set_draining(on || ends_ms_);
    tell_state();
    follow_readiness(readiness());
}

// For `systemctl status`.
void Daemon::tell_state() const {
    ::sd_notify(0, ends_ms_       ? "STATUS=ending: /readyz fails, queries are answered"
                   : is_draining_ ? "STATUS=draining: /readyz fails, queries are answered"
                                  : "STATUS=serving");
}

// An event for each change; for subscribers, a sign of life, too: one that hears nothing knows that this process
// hangs.
void Daemon::follow_readiness(const ops::HealthChecks& checks) {
    const std::string trouble = ops::health_line(checks);
    const std::uint64_t now_ms = clock_.now().ms;
    const bool is_ready = trouble.empty();
    // The text can change each second; the log needs the change of the state alone.
    if (is_ready != readiness_.is_ready) {
        events_.tell(ops::EventKind::readiness,
                     is_ready ? ops::EventLevel::info : ops::EventLevel::warning,
                     is_ready ? "ready" : "not ready: " + trouble);
    } else if (trouble == readiness_.trouble && now_ms - readiness_.told_ms < kReadinessEveryMs) {
        return;
    }
    readiness_ = {is_ready, now_ms, trouble};
    subscriptions_->publish(ops::Topic::readiness, {}, [&] {
        return boost::json::object{{"ready", is_ready}, {"trouble", trouble}};
    });
}

ops::HealthChecks Daemon::liveness() {
    const std::uint64_t now_ms = clock_.now().ms;
    const std::uint64_t idle_ms = now_ms - health_.turn_ms;  // of the timer, which the loop serves
    const auto trouble = [this](std::string_view threads) {
        return watchdog_ ? watchdog_->trouble(threads) : std::string{};
    };
    return {{"main_loop", idle_ms < kMainLoopPatienceMs
                              ? ""
                              : "blocked for " + std::to_string(idle_ms / 1000) + " s"},
            {"workers", trouble("worker")},
            {"routers", trouble("routers")},
            {"streams", trouble("streams")}};
}

ops::HealthChecks Daemon::conditions() {
    ops::HealthChecks checks{
        {"threads", ops::health_line(liveness())},
        {"ports", ports_trouble()},
        {"upstreams", upstreams_trouble()},
        {"lists", fetcher_ ? awaited_lists_.trouble() : "not loaded yet"},
        {"routers", routers_trouble()},
        {"overload", overload_gate_.trouble(clock_.now().ms)},
        {"drain", is_draining_ ? "draining: `steerctl drain off` ends it" : ""},
        {"shutdown", shutdown_trouble()}};
    doctor_reports_.add_check(checks);
    // Without Redis a box serves on its own, so it stays ready.
    if (const auto view = fleet_ != nullptr ? fleet_->view() : fleet::FleetView{};
        view.is_configured) {
        checks.push_back(
            {"fleet", "", view.is_connected ? "connected to Redis" : "not connected to Redis"});
    }
    return checks;
}

ops::HealthChecks Daemon::served(ops::HealthChecks checks) const {
    if (const auto view = fleet_ != nullptr ? fleet_->view() : fleet::FleetView{};
        view.is_kept_serving && fleet::fitness_of(checks) == fleet::Fitness::failing)
        fleet::keep_serving(checks, view.held_for);
    return checks;
}

// What the other boxes see of this one. They see by themselves that it drains or ends.
void Daemon::tell_fleet(const ops::HealthChecks& checks) {
    const bool is_ready = std::ranges::all_of(checks, [](const ops::HealthCheck& check) {
        return check.is_good() || check.name == "drain" || check.name == "shutdown";
    });
    fleet::BoxFacts now{.version = kVersion,
                        .configuration = reloads_.hash_text,
                        .is_ready = is_ready,
                        .is_draining = is_draining_ || ends_ms_.has_value(),
                        .fitness = fleet::fitness_of(checks),
                        .addresses = hops_->current()->service_addresses};
    if (now == facts_) return;
    facts_ = std::move(now);
    fleet_->set_facts(facts_);
}

std::string Daemon::ports_trouble() const {
    std::string trouble;
    for (const auto& device : ports_->devices()) {
        if (device.name.empty()) continue;
        const auto state = std::find_if(devices_.begin(), devices_.end(), [&](const auto& d) {
            return d.if_index == device.if_index;
        });
        if (state == devices_.end()) {
            add(trouble, device.name + " was removed");
        } else if (!state->up) {
            add(trouble, device.name + " is down");
        }
    }
    for (const auto& name : ports_->without_link())
        add(trouble, name + " has no link");
    if (hops_->current()->service_addresses.empty())
        add(trouble, "there is no address to answer on");
    return trouble;
}

bool Daemon::answers(const UpstreamGroup& group) const {
    const Snapshot& snapshot = *publisher_->current();
    return group.members.empty() || std::ranges::any_of(group.members, [&](std::uint16_t member) {
               return upstream_trouble(snapshot.upstreams[member]).empty();
           });
}

// Of each need one group has to answer.
std::string Daemon::upstreams_trouble() const {
    std::string trouble;
    const Snapshot& snapshot = *publisher_->current();
    const bool stale_will_do =
        settings_.control.ready_upstreams == config::UpstreamsReady::serve_stale;
    for (const build::UpstreamNeed& need : upstream_needs_) {
        const bool is_met = std::ranges::any_of(
            need.groups, [&](std::uint32_t group) { return answers(snapshot.groups[group]); });
        if (is_met || (stale_will_do && need.has_stale)) continue;
        for (const std::uint32_t at : need.groups) {
            const UpstreamGroup& group = snapshot.groups[at];
            std::string why;
            for (const auto member : group.members) {
                const Upstream& upstream = snapshot.upstreams[member];
                add(why, upstream.name + " " + upstream_trouble(upstream));
            }
            add(trouble, "forward '" + group.name + "' (" + why + ")");
        }
    }
    return trouble;
}

std::string Daemon::routers_trouble() const {
    return routers_ ? needed_lists_trouble(routers_->needed(), clock_.now().ms) : "";
}

std::string Daemon::shutdown_trouble() const {
    if (!ends_ms_) return {};
    const std::uint64_t now_ms = clock_.now().ms;
    const std::uint64_t left_s = *ends_ms_ > now_ms ? (*ends_ms_ - now_ms + 999) / 1000 : 0;
    return "ending in " + std::to_string(left_s) + " s (`shutdown_delay`)";
}

std::string Daemon::upstream_trouble(const Upstream& upstream) const {
    const auto& hops = hops_->current()->by_upstream;
    if (upstream.channel == Channel::none &&
        (upstream.id >= hops.size() || hops[upstream.id].via == NextHop::Via::nothing))
        return "has no route";
    if (!upstream_probes_.is_silent(upstream.id)) return {};
    const auto report = streams_->upstream(upstream.id);
    return report && !report->trouble.empty() ? report->trouble : "does not answer";
}

// ---- certificates

std::vector<CertificateEnd> Daemon::certificate_ends() const {
    std::vector<CertificateEnd> all;
    for (const auto& c : streams_->certificates())
        all.push_back({"the certificate " + c.file, "renew it", c.ends_s});
    if (rpc_server_) {
        if (const auto c = rpc_server_->certificate(); c.ends_s != 0)
            all.push_back({"the certificate " + c.file, "renew it", c.ends_s});
    }
    for (const Upstream& upstream : publisher_->current()->upstreams) {
        if (upstream.channel == Channel::none) continue;
        const auto report = streams_->upstream(upstream.id);
        if (!report || report->certificate_ends_s == 0) continue;
        all.push_back({"the certificate of upstream " + upstream.name,
                       "tell its operator, or use another upstream", report->certificate_ends_s});
    }
    return all;
}

void Daemon::look_at_certificates(std::uint64_t now_ms) {
    if (health_.certificates_ms != 0 && now_ms - health_.certificates_ms < kCertificatesEveryMs)
        return;
    health_.certificates_ms = now_ms;
    for (const auto& sentence : certificate_watch_.look(certificate_ends(), wall_s()))
        events_.tell(ops::EventKind::certificate, ops::EventLevel::warning, sentence);
}

// ---- helper threads

void Daemon::look_at_helpers() {
    if (!watchdog_) return;
    auto now = watchdog_->stuck_helpers();
    const auto is_in = [](const auto& all, const HelperWatch::Stuck& one) {
        return std::ranges::count(all, one.serial, &HelperWatch::Stuck::serial) != 0;
    };
    for (const auto& one : now) {
        if (!is_in(health_.stuck_helpers, one))
            events_.tell(ops::EventKind::thread, ops::EventLevel::warning,
                         one.sentence() +
                             "; the log has its stack: check the disk or file that it waits for");
    }
    for (const auto& one : health_.stuck_helpers) {
        if (!is_in(now, one))
            events_.tell(ops::EventKind::thread, ops::EventLevel::info,
                         "helper " + one.name + " is not stuck any more");
    }
    health_.stuck_helpers = std::move(now);
}

// ---- control and metrics

boost::json::value Daemon::health_status() {
    boost::json::array troubles;
    for (const auto& check : readiness()) {
        if (!check.is_good()) troubles.emplace_back(std::string(check.name) + ": " + check.trouble);
    }
    return troubles.empty() ? boost::json::value("yes") : boost::json::value(std::move(troubles));
}

void Daemon::write_health_metrics(ops::MetricWriter& writer) {
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

}  // namespace steer

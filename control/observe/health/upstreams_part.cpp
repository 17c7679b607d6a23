#include "control/observe/health/upstreams_part.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <cstddef>
#include <utility>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "control/parts.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint32_t kSlowReplyMs = 200;  // the fastest one

std::string_view word(NextHop::Via via) {
    switch (via) {
        case NextHop::Via::port:
            return "port";
        case NextHop::Via::kernel:
            return "kernel";
        case NextHop::Via::nothing:
            break;
    }
    return "no route";
}

// The measurements of all workers together.
struct UpstreamSum {
    std::uint64_t queries = 0, replies = 0, timeouts = 0, failures = 0, unanswered = 0,
                  case_mismatches = 0, latency_ms = 0;
    std::uint32_t best_rtt_16ths_ms = 0;  // 0: not measured yet
    std::array<std::uint64_t, kUpstreamBoundsMs.size() + 1> by_latency{};

    void add(const UpstreamHealth& health) {
        replies += health.replies.get();
        queries += health.queries.get();
        timeouts += health.timeouts.get();
        failures += health.failures.get();
        case_mismatches += health.case_mismatches.get();
        unanswered += health.silent.load(std::memory_order_relaxed);
        latency_ms += health.latency_ms.get();
        const auto rtt = health.rtt_16ths_ms.load(std::memory_order_relaxed);
        if (rtt != 0 && (best_rtt_16ths_ms == 0 || rtt < best_rtt_16ths_ms))
            best_rtt_16ths_ms = rtt;
        for (std::size_t i = 0; i < by_latency.size(); ++i)
            by_latency[i] += health.by_latency[i].get();
    }
};

void write_upstream(ops::MetricWriter& writer, std::string_view name, const UpstreamSum& sum) {
    struct Family {
        ops::KnownMetric metric;
        std::uint64_t UpstreamSum::*value;
    };
    constexpr std::array kFamilies{
        Family{"steerdns_upstream_server_queries", &UpstreamSum::queries},
        Family{"steerdns_upstream_server_replies", &UpstreamSum::replies},
        Family{"steerdns_upstream_server_timeouts", &UpstreamSum::timeouts},
        Family{"steerdns_upstream_server_failures", &UpstreamSum::failures},
        Family{"steerdns_upstream_server_unanswered_queries", &UpstreamSum::unanswered},
        Family{"steerdns_upstream_server_case_mismatches", &UpstreamSum::case_mismatches}};
    for (const Family& family : kFamilies) {
        writer.family(family.metric);
        writer.sample({{"upstream", name}}, sum.*family.value);
    }
    if (sum.best_rtt_16ths_ms != 0) {
        writer.family("steerdns_upstream_server_round_trip_seconds");
        writer.sample({{"upstream", name}}, sum.best_rtt_16ths_ms / 16e3);
    }
    writer.family("steerdns_upstream_server_reply_seconds");
    writer.latencies({{"upstream", name}}, kUpstreamBoundsMs, sum.by_latency,
                     static_cast<double>(sum.latency_ms) / 1000);
}

}  // namespace

Parts::Maker upstreams_part() {
    return Parts::maker<UpstreamsPart>();
}

UpstreamsPart::UpstreamsPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      network_(needs.get<NetworkPart>()),
      streams_(needs.get<StreamsPart>()),
      recursion_(needs.get<RecursionPart>()) {}

Result<void> UpstreamsPart::start() {
    take(configuration_.built());
    network_.on_any_change([this] { probes_.network_changed(); });
    recursion_.on_change = [this](std::uint16_t port) { engine_changed(port); };
    return {};
}

void UpstreamsPart::follow(const config::Settings&, build::Built& built) {
    take(built);
}

void UpstreamsPart::take(build::Built& built) {
    upstream_needs_ = std::move(built.upstream_needs);
    probe_queries_ = std::move(built.probes);
    probes_.follow(probe_queries_);
}

// What clients got from an upstream decides when it is asked, not whether it lives.
void UpstreamsPart::poll() {
    const std::uint64_t now_ms = main_.now_ms();
    const std::vector<Upstream>& upstreams = workers_.snapshot().upstreams;
    for (const Upstream& upstream : upstreams)
        observe(upstream, now_ms);
    for (const std::uint16_t id : probes_.due(now_ms)) {
        const auto upstream = std::ranges::find(upstreams, id, &Upstream::id);
        if (upstream == upstreams.end() || is_down(*upstream)) continue;
        streams_.threads().probe({.upstream = id,
                                  .has_channel = upstream->channel != Channel::none,
                                  .random_case = random_case_of(*upstream) != "off" &&
                                                 upstream->channel != Channel::stream,
                                  .address = upstream->address,
                                  .port = upstream->port,
                                  .query = probe_queries_.at(id).query},
                                 [this, id](const stream::ProbeReply& reply) {
                                     boost::asio::post(main_.io(), [this, id, reply] {
                                         probes_.replied(id, reply);
                                         inform_workers_of(id);
                                     });
                                 });
    }
}

void UpstreamsPart::observe(const Upstream& upstream, std::uint64_t now_ms) {
    UpstreamProbes::Traffic traffic;
    UpstreamSpeed::Replies replies{};
    DataplaneRuntime& runtime = workers_.runtime();
    for (unsigned w = 0; w < runtime.workers(); ++w) {
        const UpstreamHealth& health = runtime.worker(w).upstream_health(upstream.id);
        traffic.queries += health.queries.get();
        traffic.replies += health.replies.get();
        traffic.edns_refusals += health.edns_refusals.get();
        traffic.case_mismatches += health.case_mismatches.get();
        for (std::size_t i = 0; i < replies.size(); ++i)
            replies[i] += health.by_latency[i].get();
    }
    speed_.see(upstream.id, replies, now_ms);
    probes_.see(upstream.id, traffic, now_ms);
    inform_workers(upstream);
    const std::string news =
        probes_.news(upstream.id, upstream.name, now_ms, !streams_.lacks_descriptors());
    if (news.empty()) return;
    const bool is_good = news.ends_with(UpstreamProbes::kAnswersAgain) ||
                         news.ends_with(UpstreamProbes::kReturnsCase);
    events_.tell(ops::EventKind::upstream,
                 is_good ? ops::EventLevel::info : ops::EventLevel::warning, news);
}

void UpstreamsPart::engine_changed(std::uint16_t port) {
    for (const Upstream& upstream : workers_.snapshot().upstreams) {
        if (upstream.port == port && upstream.address.is_loopback()) inform_workers(upstream);
    }
}

bool UpstreamsPart::is_down(const Upstream& upstream) const {
    return upstream.address.is_loopback() && recursion_.is_down(upstream.port);
}

// Of an upstream that a reload may have removed by now.
void UpstreamsPart::inform_workers_of(std::uint16_t id) {
    const std::vector<Upstream>& upstreams = workers_.snapshot().upstreams;
    const auto upstream = std::ranges::find(upstreams, id, &Upstream::id);
    if (upstream != upstreams.end()) inform_workers(*upstream);
}

void UpstreamsPart::inform_workers(const Upstream& upstream) {
    DataplaneRuntime& runtime = workers_.runtime();
    const std::uint16_t id = upstream.id;
    const ProbeFindings findings{
        .is_silent = probes_.is_silent(id),
        .is_down = is_down(upstream),
        .without_edns = probes_.is_without_edns(id),
        .changes_case = probes_.changes_case(id) || !probes_.is_probed(id)};
    for (unsigned w = 0; w < runtime.workers(); ++w)
        runtime.worker(w).probed(id, findings);
}

std::string_view UpstreamsPart::random_case_of(const Upstream& upstream) const {
    using config::RandomCase;
    if (upstream.channel == Channel::stream) return {};
    if (!upstream.random_case) return "off";
    const RandomCase setting = settings_.get().dataplane.random_case;
    if (setting == RandomCase::never) return "off";
    if (setting == RandomCase::learned) {
        if (probes_.changes_case(upstream.id)) return "changed";
        if (!probes_.is_probed(upstream.id)) return "off";
    }
    return "on";
}

std::string UpstreamsPart::error_of(const Upstream& upstream) const {
    if (upstream.channel == Channel::none &&
        network_.route_of(upstream.id) == NextHop::Via::nothing)
        return "has no route";
    if (is_down(upstream)) return recursion_.is_starting(upstream.port) ? "" : "does not run";
    if (!probes_.is_silent(upstream.id)) return {};
    const auto report = streams_.threads().upstream(upstream.id);
    return report && !report->error.empty() ? report->error : "does not answer";
}

// ---- readiness

bool UpstreamsPart::answers(const UpstreamGroup& group) const {
    const Snapshot& snapshot = workers_.snapshot();
    return group.members.empty() || std::ranges::any_of(group.members, [&](std::uint16_t member) {
               return error_of(snapshot.upstreams[member]).empty();
           });
}

// Of each need one group has to answer.
std::string UpstreamsPart::unmet_needs() const {
    std::string unmet;
    const auto add = [](std::string& all, const std::string& one) {
        all += (all.empty() ? "" : ", ") + one;
    };
    const Snapshot& snapshot = workers_.snapshot();
    const bool stale_is_enough =
        settings_.get().control.ready_upstreams == config::UpstreamsReady::serve_stale;
    for (const build::UpstreamNeed& need : upstream_needs_) {
        const bool is_met = std::ranges::any_of(
            need.groups, [&](std::uint32_t group) { return answers(snapshot.groups[group]); });
        if (is_met || (stale_is_enough && need.has_stale)) continue;
        for (const std::uint32_t at : need.groups) {
            const UpstreamGroup& group = snapshot.groups[at];
            std::string why;
            for (const auto member : group.members) {
                const Upstream& upstream = snapshot.upstreams[member];
                add(why, upstream.name + " " + error_of(upstream));
            }
            add(unmet, "forward '" + group.name + "' (" + why + ")");
        }
    }
    return unmet;
}

void UpstreamsPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    checks.push_back({"upstreams", unmet_needs()});
}

// ---- reports

// The best smoothed round trip that any worker has measured.
std::optional<double> UpstreamsPart::best_rtt_ms(std::uint16_t upstream) const {
    constexpr double kParts = 16;
    std::uint32_t best = 0;
    const DataplaneRuntime& runtime = workers_.runtime();
    for (unsigned w = 0; w < runtime.workers(); ++w) {
        const auto rtt = runtime.worker(w).upstream_health(upstream).rtt_16ths_ms.load(
            std::memory_order_relaxed);
        if (rtt != 0 && (best == 0 || rtt < best)) best = rtt;
    }
    if (best == 0) return std::nullopt;
    return best / kParts;
}

void UpstreamsPart::add_status(object& all) {
    array upstreams;
    const Snapshot& snapshot = workers_.snapshot();
    for (const auto& group : snapshot.groups) {
        for (const auto member : group.members) {
            const Upstream& upstream = snapshot.upstreams[member];
            object one{{"name", upstream.name},
                       {"forward", group.name},
                       {"via", word(network_.route_of(upstream.id))},
                       {"rtt_ms", boost::json::value_from(best_rtt_ms(upstream.id))}};
            std::string error = error_of(upstream);
            if (const auto report = streams_.threads().upstream(upstream.id)) {
                one["via"] = "streams";
                one["connections"] = report->connections;
                if (!report->address.empty()) one["address"] = report->address;
                if (!report->transport.empty()) one["transport"] = report->transport;
                // How its connections fail is worth seeing before probes find it silent.
                if (error.empty()) error = report->error;
            }
            if (const auto random_case = random_case_of(upstream); !random_case.empty())
                one["random_case"] = random_case;
            if (!error.empty()) one["trouble"] = error;
            upstreams.push_back(std::move(one));
        }
    }
    all["upstreams"] = std::move(upstreams);
}

void UpstreamsPart::write_metrics(ops::MetricWriter& writer) {
    DataplaneRuntime& runtime = workers_.runtime();
    for (const Upstream& upstream : workers_.snapshot().upstreams) {
        writer.family("steerdns_upstream_server_up");
        writer.sample({{"upstream", upstream.name}},
                      std::uint64_t{error_of(upstream).empty() ? 1U : 0U});
        if (const auto random_case = random_case_of(upstream); !random_case.empty()) {
            writer.family("steerdns_upstream_server_random_case");
            writer.sample({{"upstream", upstream.name}}, std::uint64_t{random_case == "on"});
        }
        UpstreamSum sum;
        for (unsigned w = 0; w < runtime.workers(); ++w)
            sum.add(runtime.worker(w).upstream_health(upstream.id));
        write_upstream(writer, upstream.name, sum);
        if (const auto report = streams_.threads().upstream(upstream.id)) {
            writer.family("steerdns_upstream_server_connections");
            writer.sample({{"upstream", upstream.name}}, std::uint64_t{report->connections});
            if (report->transport.empty()) continue;
            writer.family("steerdns_upstream_server_transport");
            writer.sample({{"upstream", upstream.name}, {"transport", report->transport}},
                          std::uint64_t{1});
        }
    }
}

void UpstreamsPart::add_problems(Problems& problems) {
    const Snapshot& snapshot = workers_.snapshot();
    const std::string_view advice =
        streams_.lacks_descriptors()
            ? UpstreamProbes::kNoDescriptor
            : "check that it runs, and that no firewall drops its replies, or the probes that this "
              "machine's kernel sends to it";
    for (const UpstreamGroup& group : snapshot.groups) {
        for (const auto member : group.members) {
            const Upstream& upstream = snapshot.upstreams[member];
            const std::string subject =
                "upstream " + upstream.name + " of forward '" + group.name + "' ";
            if (const std::string error = error_of(upstream); !error.empty()) {
                problems.push_back({"upstreams", subject + error + "; " + std::string(advice)});
            } else if (speed_.is_slower_than(upstream.id, kSlowReplyMs)) {
                problems.push_back(
                    {"upstreams", subject + "is slow: each of its replies takes more than " +
                                      std::to_string(kSlowReplyMs) +
                                      " ms; check the line to it, or use a nearer one"});
            }
        }
    }
}

}  // namespace steer

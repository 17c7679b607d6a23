// The daemon's metrics: those of every part, and its own.
#include <rte_cycles.h>
#include <rte_version.h>

#include <algorithm>
#include <array>
#include <string>

#include "control/api/metrics/process_facts.h"
#include "control/api/metrics/query_metrics.h"
#include "control/api/metrics/worker_counters.h"
#include "control/cache/cache_methods.h"
#include "control/collector_metrics.h"
#include "control/config/lists/list_changes.h"
#include "control/daemon.h"
#include "control/mdns/mdns_report.h"
#include "control/observe/lists/ad_list_methods.h"
#include "control/observe/lists/list_report.h"
#include "control/report_labels.h"
#include "control/sinks/fleet/fleet_methods.h"
#include "control/sinks/routers/router_metrics.h"
#include "dataplane/cache/cache.h"
#include "matchers/version.h"

namespace steer {
namespace {

void write_set_metrics(ops::MetricWriter& writer, const kernel_sets::SetReport& report) {
    const auto& all = report.sets;
    if (!report.was_planned) return;
    writer.family("steerdns_sets_process_running");
    writer.sample({}, std::uint64_t{report.running ? 1U : 0U});
    writer.family("steerdns_sets_process_restarts");
    writer.sample({}, report.restarts);
    writer.family("steerdns_set_claims_overflowed");
    writer.sample({}, report.overflows);
    if (all.empty()) return;  // a family has samples
    const auto name_of = [](const sets::SetStatus& set) { return set.set.text(); };
    writer.family("steerdns_set_ready");
    for (const auto& set : all)
        writer.sample({{"set", name_of(set)}}, std::uint64_t{set.ready ? 1U : 0U});
    writer.family("steerdns_set_claimed_elements");
    for (const auto& set : all)
        writer.sample({{"set", name_of(set)}}, std::uint64_t{set.claims});
#define STEER_SET_COUNTER_METRIC(field, label, text) \
    writer.counter("steerdns_set_" label, text);     \
    for (const auto& set : all)                      \
        writer.sample({{"set", name_of(set)}}, set.counters.field);
    STEER_SET_COUNTERS(STEER_SET_COUNTER_METRIC)
#undef STEER_SET_COUNTER_METRIC
}

void write_opnsense_metrics(ops::MetricWriter& writer,
                            const std::vector<opnsense::RouterReport>& routers) {
    const auto each = [&](auto value_of) {
        for (const auto& router : routers) {
            for (const auto& alias : router.aliases)
                writer.sample({{"router", router.name}, {"alias", alias.name}}, value_of(alias));
        }
    };
    if (std::ranges::all_of(routers, [](const auto& router) { return router.aliases.empty(); }))
        return;  // a family has samples
    writer.family("steerdns_alias_ready");
    each([](const auto& alias) { return std::uint64_t{alias.ready ? 1U : 0U}; });
    writer.family("steerdns_alias_elements");
    each([](const auto& alias) { return std::uint64_t{alias.elements}; });
    writer.family("steerdns_alias_foreign_elements");
    each([](const auto& alias) { return std::uint64_t{alias.foreign}; });
#define STEER_ALIAS_COUNTER_METRIC(field, label, text) \
    writer.counter("steerdns_alias_" label, text);     \
    each([](const auto& alias) { return alias.counters.field; });
    STEER_ALIAS_COUNTERS(STEER_ALIAS_COUNTER_METRIC)
#undef STEER_ALIAS_COUNTER_METRIC
}

void write_sink_metrics(ops::MetricWriter& writer, const std::vector<SinkHealth>& sinks) {
    if (sinks.empty()) return;  // a family has samples
    writer.family("steerdns_sink_away");
    for (const SinkHealth& sink : sinks)
        writer.sample({{"sink", sink.name}}, std::uint64_t{sink.away ? 1U : 0U});
    writer.family("steerdns_sink_rows");
    for (const SinkHealth& sink : sinks)
        writer.sample({{"sink", sink.name}}, std::uint64_t{sink.rows});
    writer.family("steerdns_sink_owed_rows");
    for (const SinkHealth& sink : sinks)
        writer.sample({{"sink", sink.name}}, std::uint64_t{sink.pending});
    writer.family("steerdns_sink_capacity_rows");
    for (const SinkHealth& sink : sinks)
        writer.sample({{"sink", sink.name}}, std::uint64_t{sink.capacity});
    for (const SinkHealth& sink : sinks) {
        if (sink.write_us == 0) continue;
        writer.family("steerdns_sink_write_seconds");
        writer.sample({{"sink", sink.name}}, sink.write_us / 1e6);
    }
}

void write_port_metrics(ops::MetricWriter& writer, const PortSet& ports) {
    const auto all = ports.losses();
    if (all.empty()) return;  // a family has samples
    writer.family("steerdns_port_lost");
    for (const auto& [device, losses] : all) {
        for (const PortLoss& loss : kPortLosses)
            writer.sample({{"device", device}, {"why", loss.label}}, losses.*loss.count);
    }
}

void write_exception_metrics(ops::MetricWriter& writer, const std::vector<ExceptionPath*>& paths) {
    writer.family("steerdns_exception_frames");
    for (const ExceptionPath* path : paths) {
        for (std::size_t k = 0; k < kExceptionKinds; ++k) {
            for (std::size_t e = 0; e < kExceptionEndLabels.size(); ++e) {
                writer.sample({{"interface", path->device().name()},
                               {"kind", kExceptionLabels[k]},
                               {"end", kExceptionEndLabels[e]}},
                              path->counters().get(static_cast<ExceptionKind>(k),
                                                   static_cast<ExceptionEnd>(e)));
            }
        }
    }
    writer.family("steerdns_exception_kernel_frames");
    for (const ExceptionPath* path : paths) {
        for (std::size_t e = 0; e < kExceptionSendLabels.size(); ++e) {
            writer.sample({{"interface", path->device().name()}, {"end", kExceptionSendLabels[e]}},
                          path->counters().get(static_cast<ExceptionSend>(e)));
        }
    }
}

// By the names that monitoring systems know for every process.
void write_process_metrics(ops::MetricWriter& writer) {
    const ops::ProcessFacts facts = ops::process_facts();
    writer.family("process_resident_memory_bytes");
    writer.sample({}, facts.resident_bytes);
    writer.family("process_cpu_seconds");
    writer.sample({}, facts.cpu_s);
    writer.family("process_start_time_seconds");
    writer.sample({}, facts.started_s);
    writer.family("process_threads");
    writer.sample({}, facts.threads);
    if (facts.open_files) {
        writer.family("process_open_fds");
        writer.sample({}, *facts.open_files);
    }
    writer.family("process_max_fds");
    writer.sample({}, facts.most_files);
}

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

// The measurements of all workers together.
struct UpstreamSum {
    std::uint64_t queries = 0, replies = 0, timeouts = 0, failures = 0, unanswered = 0,
                  latency_ms = 0;
    std::uint32_t best_rtt_16ths_ms = 0;  // 0: not measured yet
    std::array<std::uint64_t, kUpstreamBoundsMs.size() + 1> by_latency{};

    void add(const UpstreamHealth& health) {
        replies += health.replies.get();
        queries += health.queries.get();
        timeouts += health.timeouts.get();
        failures += health.failures.get();
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
        Family{"steerdns_upstream_server_unanswered_queries", &UpstreamSum::unanswered}};
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

void write_rpc_metrics(ops::MetricWriter& writer, const ops::RpcServer& server) {
    writer.family("steerdns_control_sessions");
    writer.sample({{"transport", "http"}}, std::uint64_t{server.sessions()});
    writer.family("steerdns_http_handshakes");
    writer.sample({}, std::uint64_t{server.handshakes()});
    writer.family("steerdns_http_refused");
    for (std::size_t i = 0; i < ops::kHttpRefusals; ++i)
        writer.sample({{"reason", ops::kHttpRefusalLabels[i]}}, server.refusals()[i]);
}

void write_subscription_metrics(ops::MetricWriter& writer, const ops::Subscriptions& all) {
    for (std::size_t i = 0; i < ops::kTopicLabels.size(); ++i) {
        const auto topic = static_cast<ops::Topic>(i);
        writer.family("steerdns_control_subscriptions");
        writer.sample({{"topic", ops::kTopicLabels[i]}}, std::uint64_t{all.count(topic)});
        writer.family("steerdns_control_notifications_lost");
        writer.sample({{"topic", ops::kTopicLabels[i]}}, all.lost(topic));
    }
}

}  // namespace

void Daemon::write_upstream_metrics(ops::MetricWriter& writer) {
    for (const Upstream& upstream : publisher_->current()->upstreams) {
        writer.family("steerdns_upstream_server_up");
        writer.sample({{"upstream", upstream.name}},
                      std::uint64_t{upstream_trouble(upstream).empty() ? 1U : 0U});
        UpstreamSum sum;
        for (unsigned w = 0; w < runtime_->workers(); ++w)
            sum.add(runtime_->worker(w).upstream_health(upstream.id));
        write_upstream(writer, upstream.name, sum);
        if (const auto report = streams_->upstream(upstream.id)) {
            writer.family("steerdns_upstream_server_connections");
            writer.sample({{"upstream", upstream.name}}, std::uint64_t{report->connections});
        }
    }
}

void Daemon::write_metrics(ops::MetricWriter& writer) {
    std::uint64_t late = 0;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        const Counters& counters = runtime_->worker(w).counters();
        ops::write_counters(writer, w, counters);
        ops::write_query_counters(writer, w, runtime_->worker(w).query_counters(),
                                  static_cast<double>(rte_get_tsc_hz()));
        late += counters.get(Stat::hold_late);
        writer.family("steerdns_pending_queries");
        writer.sample({{"worker", std::to_string(w)}}, std::uint64_t{runtime_->worker(w).parked()});
    }
    writer.family("steerdns_pending_limit_queries");
    writer.sample({}, std::uint64_t{settings_.dataplane.max_parked});
    auto outcomes = routers_->outcomes();
    outcomes[static_cast<std::size_t>(Outcome::late)] = late;
    writer.family("steerdns_outcomes");
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        writer.sample({{"outcome", kOutcomeLabels[i]}}, outcomes[i]);
    writer.family("steerdns_list_refusals");
    writer.sample({}, routers_->refusals());
    writer.family("steerdns_list_refusals_lost");
    writer.sample({}, routers_->refusals_lost());
    writer.family("steerdns_list_needed_hosts_skipped");
    writer.sample({}, routers_->needed_hosts_skipped());
    writer.family("steerdns_row_board_full");
    writer.sample({}, routers_->board_full());
    write_collector_metrics(writer, publisher_->current()->collectors);
    write_ad_list_metrics(writer, *publisher_->current(), clock_.now());
    write_list_metrics(writer, lists_);
    write_matcher_metrics(writer, *publisher_->current());
    if (const auto caches = cache_methods())
        write_cache_metrics(writer, caches->service, caches->cache, caches->lookups);
    writer.family("steerdns_bypass");
    writer.sample({}, std::uint64_t{routers_->bypassed() ? 1U : 0U});
    for (const auto& router : routers_->status())
        write_router_metrics(writer, router, clock_.now().ms);
    write_process_metrics(writer);
    write_health_metrics(writer);
    doctor_reports_.write_metrics(writer);
    write_set_metrics(writer, sets_->report());
    write_opnsense_metrics(writer, opnsense_->reports());
    write_sink_metrics(writer, routers_->sinks());
    fleet::write_fleet_metrics(writer, fleet_->view());
    write_reload_metrics(writer);
    if (fetcher_) {
        fetcher_->write_metrics(writer);
        writer.family("steerdns_lists_missing");
        writer.sample({}, std::uint64_t{config::lists_not_loaded(lists_).size()});
    }
    if (tasks_) tasks_->write_metrics(writer);
    if (rules_) rules_->write_metrics(writer);
    if (statics_) statics_->write_metrics(writer);
    write_mdns_metrics(writer, mdns_.get());
    leases_->write_metrics(writer);
    recorder_->write_metrics(writer);
    writer.family("steerdns_control_sessions");
    writer.sample({{"transport", "socket"}}, std::uint64_t{socket_->sessions()});
    if (rpc_server_) write_rpc_metrics(writer, *rpc_server_);
    write_subscription_metrics(writer, *subscriptions_);
    router_lists_->write_metrics(writer);
    write_port_metrics(writer, *ports_);
    writer.family("steerdns_build_info");
    writer.sample({{"version", kVersion}, {"dpdk", rte_version()}}, std::uint64_t{1});
    write_exception_metrics(writer, ports_->exceptions());
    writer.family("steerdns_announcements");
    writer.sample({{"by", "arp"}}, kernel_side_->announcer().arp_sent.get());
    writer.sample({{"by", "neighbour"}}, kernel_side_->announcer().advertisements_sent.get());
    for (const auto& [transport, open] : streams_->connections_by_transport()) {
        writer.family("steerdns_connections");
        writer.sample({{"transport", transport}}, std::uint64_t{open});
    }
    write_upstream_metrics(writer);
    writer.family("steerdns_certificate_expiry_timestamp_seconds");
    for (const auto& c : streams_->certificates())
        writer.sample({{"file", c.file}}, static_cast<std::uint64_t>(c.ends_s));
    for (const Upstream& upstream : publisher_->current()->upstreams) {
        const auto report = streams_->upstream(upstream.id);
        if (!report || report->certificate_ends_s == 0) continue;
        writer.sample({{"upstream", upstream.name}},
                      static_cast<std::uint64_t>(report->certificate_ends_s));
    }
    for (std::size_t i = 0; i < kStreamLabels.size(); ++i) {
        writer.counter("steerdns_stream_" + std::string(kStreamLabels[i]), kStreamTexts[i]);
        for (unsigned t = 0; t < streams_->count(); ++t) {
            writer.sample({{"thread", std::to_string(t)}}, streams_->counters(t).counts[i].get());
        }
    }
}

}  // namespace steer

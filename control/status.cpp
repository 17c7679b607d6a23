// The daemon's reports: `status` and `counters` of the control socket.
#include <rte_cycles.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

#include "control/api/metrics/process_facts.h"
#include "control/api/metrics/query_metrics.h"
#include "control/api/metrics/worker_counters.h"
#include "control/cache/cache_methods.h"
#include "control/config/lists/list_changes.h"
#include "control/daemon.h"
#include "control/mdns/mdns_report.h"
#include "control/observe/lists/list_report.h"
#include "control/report_labels.h"
#include "control/sinks/routers/router_methods.h"
#include "dataplane/cache/cache.h"
#include "matchers/version.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

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

object router_counters(const RouterThread::Status& router) {
    object all{{"name", router.name}};
#define STEER_ROUTER_COUNTER_JSON(field, label, text) all[label] = router.counters.field;
    STEER_ROUTER_COUNTERS(STEER_ROUTER_COUNTER_JSON)
#undef STEER_ROUTER_COUNTER_JSON
    return all;
}

object set_status(const sets::SetStatus& set) {
    return {{"name", set.set.text()},
            {"family", set.set.v6 ? "IPv6" : "IPv4"},
            {"state", set.ready ? "ready" : "away"},
            {"timeouts", set.ability.timeouts},
            {"prefixes", set.ability.prefixes},
            {"claims", set.claims},
            {"owed", set.pending},
            {"trouble", set.trouble}};
}

object set_counters(const sets::SetStatus& set) {
    object all{{"name", set.set.text()}};
#define STEER_SET_COUNTER_JSON(field, label, text) all[label] = set.counters.field;
    STEER_SET_COUNTERS(STEER_SET_COUNTER_JSON)
#undef STEER_SET_COUNTER_JSON
    return all;
}

array port_counters(const PortSet& ports) {
    array all;
    for (const auto& [device, losses] : ports.losses()) {
        object one{{"name", device}};
        for (const PortLoss& loss : kPortLosses)
            one[loss.label] = losses.*loss.count;
        all.push_back(std::move(one));
    }
    return all;
}

// Results of frames for the kernel ("arp_given") and from the kernel ("kernel_sent").
object exception_counters(const ExceptionPath& path) {
    const ExceptionCounters& counters = path.counters();
    object all{{"name", path.device().name()}};
    const auto name = [](std::string_view what, std::string_view end) {
        return std::string(what) + "_" + std::string(end);
    };
    for (std::size_t k = 0; k < kExceptionKinds; ++k) {
        for (std::size_t e = 0; e < kExceptionEndLabels.size(); ++e) {
            all[name(kExceptionLabels[k], kExceptionEndLabels[e])] =
                counters.get(static_cast<ExceptionKind>(k), static_cast<ExceptionEnd>(e));
        }
    }
    for (std::size_t e = 0; e < kExceptionSendLabels.size(); ++e) {
        all[name("kernel", kExceptionSendLabels[e])] = counters.get(static_cast<ExceptionSend>(e));
    }
    return all;
}

// Of an upstream that `streams` asks in its own way.
void add_channel(const stream::UpstreamReport& report, object& one) {
    one["via"] = "streams";
    one["connections"] = report.connections;
    if (!report.address.empty()) one["address"] = report.address;
}

void add_process(object& all) {
    const ops::ProcessFacts facts = ops::process_facts();
    all["pid"] = facts.pid;
    all["resident_bytes"] = facts.resident_bytes;
    all["cpu_s"] = facts.cpu_s;
    all["threads"] = facts.threads;
    if (facts.open_files) all["open_files"] = *facts.open_files;
}

array opnsense_counters(const std::vector<opnsense::RouterReport>& routers) {
    array all;
    for (const auto& router : routers) {
        for (const auto& alias : router.aliases) {
            object one{{"name", router.name}, {"alias", alias.name}};
#define STEER_ALIAS_COUNTER_JSON(field, label, text) one[label] = alias.counters.field;
            STEER_ALIAS_COUNTERS(STEER_ALIAS_COUNTER_JSON)
#undef STEER_ALIAS_COUNTER_JSON
            all.push_back(std::move(one));
        }
    }
    return all;
}

}  // namespace

boost::json::array Daemon::opnsense_status() const {
    array all;
    for (const auto& router : opnsense_->reports()) {
        for (const auto& alias : router.aliases) {
            const bool works = alias.ready && router.reachable && alias.trouble.empty();
            all.push_back(
                object{{"name", router.name},
                       {"address", router.address},
                       {"alias", alias.name},
                       {"list", alias.tag},
                       {"state", router.paused ? "paused"
                                 : works       ? "ready"
                                               : "away"},
                       {"elements", alias.elements},
                       {"owed", alias.pending},
                       {"foreign", alias.foreign},
                       {"trouble", router.trouble.empty() ? alias.trouble : router.trouble}});
        }
    }
    return all;
}

boost::json::value Daemon::status() {
    object all{
        {"version", kVersion},       {"uptime_s", (clock_.now().ms - started_ms_) / 1000},
        {"config", settings_.file},  {"generation", publisher_->current()->generation},
        {"memory", eal_->summary()}, {"simd", cache::label(runtime_->shared().hasher->lanes())}};
    add_process(all);
    all["ready"] = health_status();
    all["problems"] = problems();
    all["reload"] = reload_status();
    all["lists"] = list_summary(lists_);
    array ports;
    const NextHopTable& hops = *hops_->current();
    array addresses;
    for (const auto& address : hops.service_addresses)
        addresses.emplace_back(address.to_string());
    for (const auto& port : ports_->reports()) {
        ports.push_back(object{{"device", port.device},
                               {"driver", port.driver},
                               {"why", port.why},
                               {"offers", port.offers}});
    }
    all["ports"] = std::move(ports);
    all["addresses"] = std::move(addresses);
    array workers;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        workers.push_back(object{
            {"index", w}, {"cpu", cpus_.workers[w]}, {"parked", runtime_->worker(w).parked()}});
    }
    all["workers"] = std::move(workers);
    if (const auto* const cache = runtime_->shared().cache) {
        all["cache"] = object{{"entries", cache->entries()}, {"bytes", cache->bytes_used()}};
    }
    array routers;
    for (const auto& router : routers_->status())
        routers.push_back(router_status(router, clock_.now().ms));
    all["routers"] = std::move(routers);
    if (routers_->bypassed()) all["bypass"] = true;
    if (const auto known = sets_->report().sets; !known.empty()) {
        array kernel_sets;
        for (const auto& set : known)
            kernel_sets.push_back(set_status(set));
        all["sets"] = std::move(kernel_sets);
    }
    if (array aliases = opnsense_status(); !aliases.empty()) all["opnsense"] = std::move(aliases);
    array upstreams;
    const auto& snapshot = *publisher_->current();
    for (const auto& group : snapshot.groups) {
        for (const auto member : group.members) {
            const Upstream& upstream = snapshot.upstreams[member];
            const auto via = upstream.id < hops.by_upstream.size()
                                 ? hops.by_upstream[upstream.id].via
                                 : NextHop::Via::nothing;
            object one{{"name", upstream.name},
                       {"forward", group.name},
                       {"via", word(via)},
                       {"rtt_ms", boost::json::value_from(best_rtt_ms(upstream.id))}};
            if (const auto report = streams_->upstream(upstream.id)) add_channel(*report, one);
            std::string ill = upstream_trouble(upstream);
            // How its connections fail is worth seeing before probes find it silent.
            if (const auto report = streams_->upstream(upstream.id); ill.empty() && report)
                ill = report->trouble;
            if (!ill.empty()) one["trouble"] = ill;
            upstreams.push_back(std::move(one));
        }
    }
    all["upstreams"] = std::move(upstreams);
    array certificates;
    for (const auto& c : streams_->certificates()) {
        certificates.push_back(object{{"file", c.file},
                                      {"subject", c.subject},
                                      {"begins_s", c.begins_s},
                                      {"ends_s", c.ends_s}});
    }
    for (const Upstream& upstream : snapshot.upstreams) {
        const auto report = streams_->upstream(upstream.id);
        if (!report || report->certificate_ends_s == 0) continue;
        certificates.push_back(object{{"upstream", upstream.name},
                                      {"subject", report->certificate_subject},
                                      {"ends_s", report->certificate_ends_s}});
    }
    all["certificates"] = std::move(certificates);
    all["connections"] = streams_->connections();
    add_mdns_status(all, mdns_.get());
    return all;
}

boost::json::value Daemon::counters() const {
    object all;
    array workers;
    std::uint64_t late = 0;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        const Counters& counters = runtime_->worker(w).counters();
        object worker = ops::counters_to_json(counters);
        ops::add_query_counters(worker, runtime_->worker(w).query_counters(),
                                static_cast<double>(rte_get_tsc_hz()));
        workers.push_back(std::move(worker));
        late += counters.get(Stat::hold_late);
    }
    all["workers"] = std::move(workers);
    auto outcomes = routers_->outcomes();
    outcomes[static_cast<std::size_t>(Outcome::late)] = late;
    object named;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        named[kOutcomeLabels[i]] = outcomes[i];
    all["outcomes"] = std::move(named);
    array routers;
    for (const auto& router : routers_->status())
        routers.push_back(router_counters(router));
    all["routers"] = std::move(routers);
    if (const auto known = sets_->report().sets; !known.empty()) {
        array kernel_sets;
        for (const auto& set : known)
            kernel_sets.push_back(set_counters(set));
        all["sets"] = std::move(kernel_sets);
    }
    if (array aliases = opnsense_counters(opnsense_->reports()); !aliases.empty())
        all["opnsense"] = std::move(aliases);
    array streams;
    for (unsigned t = 0; t < streams_->count(); ++t) {
        object named_counts;
        for (std::size_t i = 0; i < kStreamLabels.size(); ++i) {
            named_counts[kStreamLabels[i]] = streams_->counters(t).counts[i].get();
        }
        streams.push_back(std::move(named_counts));
    }
    all["streams"] = std::move(streams);
    add_mdns_counters(all, mdns_.get());
    all["ports"] = port_counters(*ports_);
    array exceptions;
    for (const ExceptionPath* path : ports_->exceptions())
        exceptions.push_back(exception_counters(*path));
    all["exceptions"] = std::move(exceptions);
    const kernel::Announcer& announcer = kernel_side_->announcer();
    all["announcements"] = object{{"arp", announcer.arp_sent.get()},
                                  {"neighbour", announcer.advertisements_sent.get()}};
    return all;
}

}  // namespace steer

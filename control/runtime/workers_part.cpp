#include "control/runtime/workers_part.h"

#include <rte_cycles.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "control/api/log/notes.h"
#include "control/api/metrics/metrics.h"
#include "control/api/metrics/query_metrics.h"
#include "control/api/metrics/worker_counters.h"
#include "control/parts.h"
#include "control/program/reload/sizing.h"
#include "control/program/reload/start_traces.h"
#include "dataplane/cache/key_lanes.h"

namespace steer {

using boost::json::array;
using boost::json::object;

Parts::Maker workers_part() {
    return Parts::maker<WorkersPart>();
}

WorkersPart::WorkersPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      dpdk_(needs.get<DpdkPart>()),
      ports_(needs.get<PortsPart>()) {}

WorkersPart::~WorkersPart() {
    hops_.reset();
    publisher_.reset();
    records_.reset();
}

Result<void> WorkersPart::start() {
    const unsigned workers = dpdk_.workers();
    auto options = plan_tables(settings_.get(), *configuration_.built().snapshot,
                               dpdk_.eal().memory_bytes(), workers);
    if (!options) return options.error();
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    options->worker.traces_from = first_trace_id(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()));
    options->worker_nodes = dpdk_.nodes();
    runtime_ = std::make_unique<DataplaneRuntime>(*options);
    records_ = std::make_unique<QueryRecordFeed>(*runtime_);
    spdlog::info("cache keys are computed by {} code",
                 cache::label(runtime_->shared().hasher->lanes()));
    publisher_ = std::make_unique<build::Publisher>(runtime_->shared());
    hops_ = std::make_unique<Published<NextHopTable>>(runtime_->shared().next_hops,
                                                      runtime_->shared().qsbr);
    for (unsigned i = 0; i < workers; ++i)
        runtime_->add_worker(ports_.set().of_worker(i, workers), main_.clock());
    auto published = publisher_->publish(configuration_.built().snapshot, main_.clock().now());
    if (!published) return published.error();
    configuration_.started(snapshot().names);
    return {};
}

void WorkersPart::serve() {
    runtime_->start();
    windows_.follow(configuration_.built().windows, MainLoop::wall_time());
}

void WorkersPart::follow(const config::Settings&, build::Built& built) {
    windows_.follow(std::move(built.windows), MainLoop::wall_time());
}

void WorkersPart::poll() {
    take_notes();
    windows_.update(MainLoop::wall_time());
    publisher_->poll(main_.clock().now());
    hops_->poll();
}

// At most one ring size of each worker, so that a busy worker cannot keep this loop running.
void WorkersPart::take_notes() {
    Note note;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        auto& notes = runtime_->notes(w);
        for (unsigned left = notes.capacity(); left > 0 && notes.pop(&note, 1) == 1; --left) {
            const Snapshot* const snapshot = publisher_->find(note.generation);
            if (note.kind == NoteKind::learned) {
                if (learned_)
                    learned_(snapshot != nullptr ? snapshot->learners[note.text].tag : "",
                             std::span(note.qname).first(note.qname_len));
                continue;
            }
            if (note.kind == NoteKind::policy) {
                if (snapshot != nullptr)
                    spdlog::info("{}", ops::policy_line(note, snapshot->rpzs[note.text]));
                continue;
            }
            const std::string title =
                snapshot != nullptr ? snapshot->texts[note.text] : std::string{};
            for (const auto& line : ops::note_lines(note, title))
                spdlog::info("{}", line);
        }
    }
}

void WorkersPart::stop() {
    if (runtime_) runtime_->stop();
}

void WorkersPart::finish() {
    if (runtime_ && publisher_) take_notes();
}

void WorkersPart::add_status(object& all) {
    all["generation"] = publisher_->current()->generation;
    all["simd"] = cache::label(runtime_->shared().hasher->lanes());
    array workers;
    // Of the time since the start. (The counter `time_us.busy` tells it for any other time.)
    const double cycles = static_cast<double>(rte_get_tsc_hz()) / 1e3 *
                          static_cast<double>(main_.now_ms() - main_.started_ms());
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        const auto busy =
            static_cast<double>(runtime_->worker(w).query_counters().busy_cycles.get());
        object one{{"index", w},
                   {"cpu", dpdk_.cpus().workers[w]},
                   {"parked", runtime_->worker(w).parked()},
                   {"busy_percent", cycles > 0 ? std::min(100.0, busy / cycles * 100) : 0.0}};
        if (w < dpdk_.nodes().size() && dpdk_.nodes()[w] != kAnyNode)
            one["memory_node"] = dpdk_.nodes()[w];
        workers.push_back(std::move(one));
    }
    all["workers"] = std::move(workers);
}

void WorkersPart::add_counters(object& all) {
    array workers;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        object worker = ops::counters_to_json(runtime_->worker(w).counters());
        ops::add_query_counters(worker, runtime_->worker(w).query_counters(),
                                static_cast<double>(rte_get_tsc_hz()));
        workers.push_back(std::move(worker));
    }
    all["workers"] = std::move(workers);
}

void WorkersPart::write_metrics(ops::MetricWriter& writer) {
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        ops::write_counters(writer, w, runtime_->worker(w).counters());
        ops::write_query_counters(writer, w, runtime_->worker(w).query_counters(),
                                  static_cast<double>(rte_get_tsc_hz()));
        writer.family("steerdns_pending_queries");
        writer.sample({{"worker", std::to_string(w)}}, std::uint64_t{runtime_->worker(w).parked()});
    }
    writer.family("steerdns_pending_limit_queries");
    writer.sample({}, std::uint64_t{settings_.get().dataplane.max_parked});
    writer.family("steerdns_generation");
    writer.sample({}, std::uint64_t{publisher_->current()->generation});
}

}  // namespace steer

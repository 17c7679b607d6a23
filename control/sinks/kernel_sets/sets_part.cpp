// Sets of the kernel, as a part of the daemon.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/events.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/sinks/kernel_sets/set_program.h"
#include "control/sinks/kernel_sets/set_sink.h"
#include "control/sinks/routers/routers_part.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

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
    for (const auto& counter : sets::kSetCounters)
        all[counter.label] = set.counters.*counter.which;
    return all;
}

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
    for (const auto& counter : sets::kSetCounters) {
        writer.counter("steerdns_set_" + std::string(counter.label), counter.text);
        for (const auto& set : all)
            writer.sample({{"set", name_of(set)}}, set.counters.*counter.which);
    }
}

class SetsPart final : public Part {
  public:
    static constexpr std::string_view kName = "kernel_sets";
    using Needs = steer::Needs<Configuration, Events, RoutersPart>;
    explicit SetsPart(const Needs& needs)
        : configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          routers_(needs.get<RoutersPart>()) {}

    Result<void> start() override {
        (void)program_.open();  // without sets it may be missing; starting it says so
        routers_.on_start([this](RouterThread& thread) {
            thread.add_sink([this](auto& io, auto& observer) {
                auto sink = std::make_unique<kernel_sets::SetSink>(
                    io, observer, [this] { return program_.start(); }, events_.router_log());
                const build::Built& built = configuration_.built();
                sink->configure(built.kernel_sets, built.ready_sets);
                sink_ = sink.get();
                return sink;
            });
        });
        routers_.on_follow([this](const config::Settings&, build::Built& built) {
            return [sink = sink_, plans = std::move(built.kernel_sets),
                    ready = std::move(built.ready_sets)] { sink->configure(plans, ready); };
        });
        return {};
    }
    void add_status(object& all) override {
        const auto report = sink_->report();
        if (report.sets.empty()) return;
        array sets;
        for (const auto& set : report.sets)
            sets.push_back(set_status(set));
        all["sets"] = std::move(sets);
    }
    void add_counters(object& all) override {
        const auto report = sink_->report();
        if (report.sets.empty()) return;
        array sets;
        for (const auto& set : report.sets)
            sets.push_back(set_counters(set));
        all["sets"] = std::move(sets);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        write_set_metrics(writer, sink_->report());
    }

  private:
    Configuration& configuration_;
    Events& events_;
    RoutersPart& routers_;
    kernel_sets::SetProgram program_;       // of thread `routers` once it runs
    kernel_sets::SetSink* sink_ = nullptr;  // of the thread
};

}  // namespace

Parts::Maker kernel_sets_part() {
    return Parts::maker<SetsPart>();
}

}  // namespace steer

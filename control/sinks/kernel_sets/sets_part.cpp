// Sets of the kernel, as a part of the daemon.
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/metrics/report_table.h"
#include "control/api/rpc/events.h"
#include "control/host/process/child_program.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/sinks/kernel_sets/set_sink.h"
#include "control/sinks/routers/routers_part.h"
#include "control/sinks/set_process/program.h"
#include "control/sinks/set_process/set_messages.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

using SetRow = ops::ReportRow<sets::SetStatus>;

constexpr std::array kSetRows{
    SetRow{"name", {}, [](const sets::SetStatus& s) { return value(s.set.text()); }},
    SetRow{
        "family", {}, [](const sets::SetStatus& s) { return value(s.set.v6 ? "IPv6" : "IPv4"); }},
    SetRow{"state", {}, [](const sets::SetStatus& s) { return value(s.ready ? "ready" : "away"); }},
    SetRow{"", "steerdns_set_ready", [](const sets::SetStatus& s) { return value(s.ready); }},
    SetRow{"timeouts", {}, [](const sets::SetStatus& s) { return value(s.ability.timeouts); }},
    SetRow{"prefixes", {}, [](const sets::SetStatus& s) { return value(s.ability.prefixes); }},
    SetRow{"claims", "steerdns_set_claimed_elements",
           [](const sets::SetStatus& s) { return value(s.claims); }},
    SetRow{"owed", {}, [](const sets::SetStatus& s) { return value(s.pending); }},
    SetRow{"trouble", {}, [](const sets::SetStatus& s) { return value(s.error); }},
};

void write_set_metrics(ops::MetricWriter& writer, const kernel_sets::SetReport& report) {
    if (!report.was_planned) return;
    writer.family("steerdns_sets_process_running");
    writer.sample({}, std::uint64_t{report.running ? 1U : 0U});
    writer.family("steerdns_sets_process_restarts");
    writer.sample({}, report.restarts);
    writer.family("steerdns_set_claims_overflowed");
    writer.sample({}, report.overflows);
    const auto sample = [](ops::MetricWriter& out, const sets::SetStatus& set, auto number) {
        out.sample({{"set", set.set.text()}}, number);
    };
    ops::write_gauges<sets::SetStatus>(writer, kSetRows, report.sets, sample);
    ops::write_counts(
        writer, "steerdns_set_", sets::kSetCounters, report.sets,
        [](const sets::SetStatus& set) -> const auto& { return set.counters; }, sample);
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
            ops::add_members(sets.emplace_back(object{}).get_object(), kSetRows, set);
        all["sets"] = std::move(sets);
    }
    void add_counters(object& all) override {
        const auto report = sink_->report();
        if (report.sets.empty()) return;
        array sets;
        for (const auto& set : report.sets) {
            object one{{"name", set.set.text()}};
            ops::add_counts(one, sets::kSetCounters, set.counters);
            sets.push_back(std::move(one));
        }
        all["sets"] = std::move(sets);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        write_set_metrics(writer, sink_->report());
    }

  private:
    Configuration& configuration_;
    Events& events_;
    RoutersPart& routers_;
    ChildProgram program_{sets::kProgramName,
                          sets::kMaxMessage};  // of thread `routers` once it runs
    kernel_sets::SetSink* sink_ = nullptr;     // of the thread
};

}  // namespace

Parts::Maker kernel_sets_part() {
    return Parts::maker<SetsPart>();
}

}  // namespace steer

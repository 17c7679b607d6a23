// Overload: the reasons of refusals to clients, and readiness under overload.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/overload_gate.h"
#include "control/observe/health/overload_watch.h"
#include "control/parts.h"
#include "control/runtime/ports/ports_part.h"
#include "control/runtime/workers_part.h"

namespace steer {
namespace {

class OverloadPart final : public Part {
  public:
    static constexpr std::string_view kName = "overload";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, PortsPart, WorkersPart>;
    explicit OverloadPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          events_(needs.get<Events>()),
          ports_(needs.get<PortsPart>()),
          workers_(needs.get<WorkersPart>()),
          gate_(needs.get<StartSettings>().get().control.ready_overload) {}

    void poll() override {
        std::vector<const Counters*> workers;
        const DataplaneRuntime& runtime = workers_.runtime();
        for (unsigned w = 0; w < runtime.workers(); ++w)
            workers.push_back(&runtime.worker(w).counters());
        const std::uint64_t now_ms = main_.now_ms();
        for (const std::string& sentence : watch_.check(workers, now_ms))
            events_.tell(ops::EventKind::overload, ops::EventLevel::warning, sentence);
        if (!gate_.is_due(now_ms)) return;
        std::uint64_t lost = 0;
        for (const auto& [device, losses] : ports_.set().losses())
            lost += losses.ring_full + losses.no_buffer;
        gate_.check(overload_sums(workers, lost), now_ms);
    }
    void add_problems(Problems& problems) override {
        for (std::string& text : watch_.recent(main_.now_ms()))
            problems.push_back({"overload", std::move(text)});
    }
    void add_conditions(std::vector<ops::HealthCheck>& checks) override {
        checks.push_back({"overload", gate_.error(main_.now_ms())});
    }

  private:
    MainLoop& main_;
    Events& events_;
    PortsPart& ports_;
    WorkersPart& workers_;
    OverloadWatch watch_;
    OverloadGate gate_;
};

}  // namespace

Parts::Maker overload_part() {
    return Parts::maker<OverloadPart>();
}

}  // namespace steer

// Liveness and readiness: /livez, /readyz, the watchdog, and the method `drain`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics_server.h"
#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/heartbeat.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/helper_watch.h"
#include "control/observe/health/watchdog.h"
#include "control/part.h"
#include "control/runtime/reload_part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "control/sinks/fleet/fleet_part.h"
#include "control/sinks/routers/routers_part.h"

namespace steer {

class HealthPart final : public Part {
  public:
    static constexpr std::string_view kName = "health";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, WorkersPart, StreamsPart,
                               ReloadPart, RoutersPart, FleetPart>;
    explicit HealthPart(const Needs& needs);

    void add_methods(ops::Methods& methods) override;
    Result<void> open() override;
    void serve() override;
    void poll() override;
    void drain(bool is_draining) override;
    void add_status(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override;
    void end() override { watchdog_.reset(); }
    void stop() override;

  private:
    void start_watchdog();
    [[nodiscard]] ops::HealthChecks liveness() const;
    // The conditions of /readyz, without the fleet's rule.
    [[nodiscard]] ops::HealthChecks conditions() const;
    // The conditions as /readyz shows them: the last machine of a fleet stays ready
    // (control/sinks/fleet/withdrawal.h).
    [[nodiscard]] ops::HealthChecks served(ops::HealthChecks checks) const;
    [[nodiscard]] ops::HealthChecks readiness() const { return served(conditions()); }
    void publish(const ops::HealthChecks& checks);
    void inform_fleet(const ops::HealthChecks& checks);
    void inform_service_manager() const;
    void check_helpers();

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    ReloadPart& reload_;
    RoutersPart& routers_;
    FleetPart& fleet_;
    const Parts& parts_;
    std::uint64_t polled_ms_ = 0;  // time of the last poll
    std::vector<HelperWatch::Stuck> stuck_helpers_;
    Heartbeat heartbeat_;  // of the main loop
    std::unique_ptr<Watchdog> watchdog_;
    fleet::BoxFacts facts_;  // as the fleet has them
    // The state at the last publication.
    struct Published {
        bool is_ready = true;  // before the first check: a successful start is no event
        std::uint64_t at_ms = 0;
        std::string error;
    };
    Published published_;
    std::unique_ptr<ops::MetricsServer> http_;  // metrics and health
};

}  // namespace steer

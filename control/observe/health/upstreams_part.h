// The state of upstreams, from our probes and clients' queries.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/upstream_probes.h"
#include "control/observe/health/upstream_speed.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/network_part.h"
#include "control/runtime/recursion_part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"

namespace steer {

class UpstreamsPart final : public Part {
  public:
    static constexpr std::string_view kName = "upstreams";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart,
                               NetworkPart, StreamsPart, RecursionPart>;
    explicit UpstreamsPart(const Needs& needs);

    Result<void> start() override;
    void poll() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void add_status(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override;

  private:
    void take(build::Built& built);
    void observe(const Upstream& upstream, std::uint64_t now_ms);
    void inform_workers(const Upstream& upstream);
    void inform_workers_of(std::uint16_t id);
    // "on", "off", or "changed": the upstream does not return it; empty: not over UDP.
    [[nodiscard]] std::string_view random_case_of(const Upstream& upstream) const;
    // "does not answer"; empty: it answers, according to our probes.
    [[nodiscard]] std::string error_of(const Upstream& upstream) const;
    [[nodiscard]] bool answers(const UpstreamGroup& group) const;
    [[nodiscard]] std::string unmet_needs() const;
    [[nodiscard]] std::optional<double> best_rtt_ms(std::uint16_t upstream) const;

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    NetworkPart& network_;
    StreamsPart& streams_;
    RecursionPart& recursion_;
    // An engine of `recursion` has ended, or is up. Workers learn it before a probe shows it.
    void engine_changed(std::uint16_t port);
    [[nodiscard]] bool is_down(const Upstream& upstream) const;

    UpstreamProbes probes_;
    UpstreamSpeed speed_;
    // From the present snapshot.
    std::vector<build::UpstreamNeed> upstream_needs_;
    std::map<std::uint16_t, build::UpstreamProbe> probe_queries_;  // by Upstream::id
};

}  // namespace steer

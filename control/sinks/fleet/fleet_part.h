// Other boxes for the same routers, as a part of the daemon.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/events.h"
#include "control/api/rpc/methods.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "control/sinks/fleet/fleet_service.h"
#include "control/sinks/fleet/shared_changes.h"
#include "control/sinks/fleet/shared_inbox.h"
#include "control/sinks/routers/routers_part.h"

namespace steer {

class FleetPart final : public Part {
  public:
    static constexpr std::string_view kName = "fleet";
    using Needs =
        steer::Needs<MainLoop, StartSettings, Events, WorkersPart, StreamsPart, RoutersPart>;
    explicit FleetPart(const Needs& needs);

    Result<void> start() override;
    void add_methods(ops::Methods& methods) override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void poll() override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override;

    // Says "not configured" until the start is finished.
    [[nodiscard]] fleet::FleetView view() const;
    // Sets the report of this box for other boxes.
    void set_facts(const fleet::BoxFacts& facts) { service_->set_facts(facts); }

    // Before the thread `routers` starts: gets what Redis has for the key of `client_groups`, on the
    // main thread.
    using GroupNews = std::function<void(const std::string& key, fleet::GroupFeed::News news)>;
    void on_groups(GroupNews take) { on_groups_ = std::move(take); }

  private:
    [[nodiscard]] fleet::FleetService::Sharing sharing();
    [[nodiscard]] fleet::GroupFeed::Tell tell_groups(const std::string& key);

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    RoutersPart& routers_;
    fleet::SharedInbox inbox_;
    std::unique_ptr<fleet::SharedChanges> changes_;
    GroupNews on_groups_;
    fleet::FleetService* service_ = nullptr;  // belongs to thread `routers`
};

}  // namespace steer

namespace steer::fleet {

// `fleet` of the control socket, and the fleet's metrics.

// `service` must be set before the first call. Its thread answers; `main_io` gets the result, and
// calls `shared` for what the boxes share.
void add_fleet_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                       FleetService* const& service, std::function<boost::json::array()> shared);

// Writes nothing without a fleet.
void write_fleet_metrics(ops::MetricWriter& writer, const FleetView& view);

}  // namespace steer::fleet

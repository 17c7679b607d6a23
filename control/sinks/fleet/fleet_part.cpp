#include "control/sinks/fleet/fleet_part.h"

#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>

#include "control/api/http/health_check.h"
#include "control/parts.h"
#include "control/sinks/fleet/fleet_plan.h"

namespace steer {

Parts::Maker fleet_part() {
    return Parts::maker<FleetPart>();
}

FleetPart::FleetPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      streams_(needs.get<StreamsPart>()),
      routers_(needs.get<RoutersPart>()) {}

fleet::GroupFeed::Tell FleetPart::tell_groups(const std::string& key) {
    return [this, key](fleet::GroupFeed::News news) {
        boost::asio::post(main_.io(), [this, key, news = std::move(news)]() mutable {
            if (on_groups_) on_groups_(key, std::move(news));
        });
    };
}

Result<void> FleetPart::start() {
    routers_.on_start([this](RouterThread& thread) {
        thread.add_peers([this](auto& io) {
            auto service = std::make_unique<fleet::FleetService>(
                io, [this] { return main_.now_ms(); }, events_.router_log());
            service->use_hosts(workers_.runtime().needed_hosts());
            service->serve_tickets(streams_.threads().ticket_servers());
            const auto plan = fleet::fleet_plan(settings_.get());
            service->configure(plan);
            const std::string& key = settings_.get().control.client_groups_key;
            service->follow_groups(plan, key, tell_groups(key));
            service_ = service.get();
            return service;
        });
    });
    routers_.on_follow([this](const config::Settings& settings, build::Built&) {
        return [service = service_, plan = fleet::fleet_plan(settings),
                key = settings.control.client_groups_key,
                tell = tell_groups(settings.control.client_groups_key)] {
            service->configure(plan);
            service->follow_groups(plan, key, tell);
        };
    });
    return {};
}

void FleetPart::add_methods(ops::Methods& methods) {
    fleet::add_fleet_methods(methods, main_.io(), service_);
}

fleet::FleetView FleetPart::view() const {
    return service_ != nullptr ? service_->view() : fleet::FleetView{};
}

void FleetPart::write_metrics(ops::MetricWriter& writer) {
    fleet::write_fleet_metrics(writer, view());
}

void FleetPart::add_problems(Problems& problems) {
    for (std::string& text : view().problems)
        problems.push_back({"fleet", std::move(text)});
}

// Without Redis a box serves on its own, so it stays ready.
void FleetPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    if (const auto now = view(); now.is_configured)
        checks.push_back(
            {"fleet", "", now.is_connected ? "connected to Redis" : "not connected to Redis"});
}

}  // namespace steer

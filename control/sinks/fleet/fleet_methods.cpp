#include "control/sinks/fleet/fleet_part.h"

#include <array>
#include <boost/asio/post.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/metrics/report_table.h"

namespace steer::fleet {
namespace {

constexpr std::array kRoles{
#define STEER_FLEET_ROLE_VALUE(name, label, text) routeros::Role::name,
    STEER_FLEET_ROLES(STEER_FLEET_ROLE_VALUE)
#undef STEER_FLEET_ROLE_VALUE
};

}  // namespace

void add_fleet_methods(ops::Methods& methods, boost::asio::io_context& main_io,
                       FleetService* const& service, std::function<boost::json::array()> shared) {
    methods.add(
        {.name = "fleet",
         .help = "Shows the boxes of the fleet, who writes each router, and what is wrong.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .run =
             [&main_io, &service, shared = std::move(shared)](const ops::Arguments&,
                                                              const ops::RpcDone& done) {
                 if (service == nullptr)
                     return done(ops::RpcError{ops::RpcCode::internal_error, "not serving yet"});
                 service->report([&main_io, done, shared](boost::json::object report) {
                     boost::asio::post(main_io,
                                       [done, shared, report = std::move(report)]() mutable {
                                           if (report.contains("boxes"))
                                               report["shared"] = shared();
                                           done(boost::json::value(std::move(report)));
                                       });
                 });
             },
         .members = "configured name? box? redis? lease_ms? connected? trouble? trouble_s? "
                    "clock_ahead_ms? routers? boxes? problems? obstacles? counters? shared?",
         .result =
             "roles, boxes, problems, obstacles to stopping this box, counters, shared entries"});
}

void write_fleet_metrics(ops::MetricWriter& writer, const FleetView& view) {
    if (!view.is_configured) return;
    writer.family("steerdns_fleet_connected");
    writer.sample({}, std::uint64_t{view.is_connected ? 1U : 0U});
    writer.family("steerdns_fleet_boxes");
    writer.sample({}, std::uint64_t{view.boxes});
    for (const RouterRole& one : view.roles) {
        writer.family("steerdns_fleet_router_role");
        for (const routeros::Role role : kRoles) {
            writer.sample({{"router", one.router}, {"role", routeros::label(role)}},
                          std::uint64_t{one.role == role ? 1U : 0U});
        }
    }
    ops::write_counts(
        writer, "steerdns_fleet_", kFleetCounters, std::span(&view, 1),
        [](const FleetView& of) -> const auto& { return of.counters; },
        [](ops::MetricWriter& out, const FleetView&, auto number) { out.sample({}, number); });
}

}  // namespace steer::fleet

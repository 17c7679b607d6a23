#include "control/sinks/fleet/fleet_part.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/host/process/files_as.h"
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
            service->share_state(sharing());
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

// From thread `routers` to the main thread, which takes it in poll().
fleet::FleetService::Sharing FleetPart::sharing() {
    return {
        .kinds = changes_->kinds(),
        .events = {.arrived =
                       [this](fleet::StoredEntry entry) {
                           inbox_.put_entry(
                               [this, entry = std::move(entry)] { changes_->arrived(entry); });
                       },
                   .stored =
                       [this](const fleet::EntryChange& change, Result<fleet::StoredEntry> stored) {
                           inbox_.put([this, change, stored = std::move(stored)] {
                               changes_->stored(change, stored);
                           });
                       },
                   .read =
                       [this](const std::string& kind, const Result<void>& done) {
                           inbox_.put([this, kind, done] { changes_->read(kind, done); });
                       },
                   .has_room = [this](std::size_t entries) { return inbox_.has_room(entries); },
                   .has_lost = [this] { return inbox_.take_lost(); }},
        .begin = [this] { inbox_.put([this] { changes_->begin_reading(); }); }};
}

// A fifth of the main thread's time at most.
void FleetPart::poll() {
    constexpr auto kBudget = std::chrono::milliseconds(20);
    const auto end = std::chrono::steady_clock::now() + kBudget;
    while (const auto next = inbox_.take()) {
        (*next)();
        if (std::chrono::steady_clock::now() >= end) break;
    }
    changes_->poll(main_.now_ms());
}

void FleetPart::follow(const config::Settings& settings, build::Built& /*built*/) {
    changes_->set_configured(fleet::has_fleet(settings));
}

// All parts have started: their entries are known.
void FleetPart::add_methods(ops::Methods& methods) {
    const FilesAs files(settings_.user());
    changes_ = std::make_unique<fleet::SharedChanges>(
        main_.io(), events_.shared(), settings_.get().control.beside_leases("fleet_changes.json"),
        fleet::SharedChanges::World{
            [this](fleet::EntryChange change) {
                if (service_ != nullptr) service_->put(std::move(change));
            },
            fleet::wall_ms,
            [this] { return service_ != nullptr ? service_->clock_ahead_ms() : std::int64_t{0}; },
            [this](const std::string& sentence) {
                events_.router_log()(routeros::Level::warning, sentence);
            }});
    changes_->set_configured(fleet::has_fleet(settings_.get()));
    fleet::add_fleet_methods(methods, main_.io(), service_, [this] { return changes_->report(); });
}

fleet::FleetView FleetPart::view() const {
    return service_ != nullptr ? service_->view() : fleet::FleetView{};
}

void FleetPart::write_metrics(ops::MetricWriter& writer) {
    const auto now = view();
    fleet::write_fleet_metrics(writer, now);
    if (!now.is_configured) return;
    writer.family("steerdns_fleet_unsent");
    writer.sample({}, std::uint64_t{changes_->unsent()});
}

void FleetPart::add_problems(Problems& problems) {
    for (std::string& text : view().problems)
        problems.push_back({"fleet", std::move(text)});
    for (std::string& text : changes_->problems())
        problems.push_back({"fleet", std::move(text)});
}

// Without Redis a box serves on its own, so it stays ready.
void FleetPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    if (const auto now = view(); now.is_configured)
        checks.push_back(
            {"fleet", "", now.is_connected ? "connected to Redis" : "not connected to Redis"});
}

}  // namespace steer

// Zones by transfer, as a part of the daemon.
#include <boost/json/object.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/reload_part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "control/sources/clients/clients_part.h"
#include "control/sources/transfer/zone_service.h"

namespace steer {
namespace {

class TransferPart final : public Part {
  public:
    static constexpr std::string_view kName = "transfer";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart,
                               StreamsPart, ReloadPart, ClientsPart>;
    explicit TransferPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()),
          streams_(needs.get<StreamsPart>()),
          reload_(needs.get<ReloadPart>()),
          clients_(needs.get<ClientsPart>()) {}

    // Zones of the last run are in force before the first query.
    Result<void> start() override {
        const FilesAs files(settings_.user());
        service_ = std::make_shared<transfer::ZoneService>(
            main_.io(), main_.clock(), workers_.runtime().shared().qsbr,
            [this](bool is_warning, const std::string& line) {
                events_.tell(ops::EventKind::list,
                             is_warning ? ops::EventLevel::warning : ops::EventLevel::info, line);
            },
            [this](const std::string& what) { reload_.request("a new version of " + what); });
        service_->restore(configuration_.built().secondaries);
        clients_.add_source([this](std::vector<clients::KnownClient>& out) {
            service_->each_name([&out](const std::string& tag, const config::RecordName& one) {
                out.push_back({one.address,
                               {},
                               one.name,
                               one.is_ptr ? clients::NameSource::ptr : clients::NameSource::record,
                               tag});
            });
        });
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override {
        streams_.threads().set_notify(
            [service = std::weak_ptr(service_)](const IpAddress& from, ClientTransport transport,
                                                std::span<const std::uint8_t> message) {
                const auto known = service.lock();
                return known != nullptr ? known->notify(from, transport, message)
                                        : std::vector<std::uint8_t>{};
            });
        service_->follow(configuration_.built().secondaries);
    }
    void poll() override { service_->poll(); }
    void follow(const config::Settings&, build::Built& built) override {
        service_->follow(built.secondaries);
    }
    void add_status(boost::json::object& all) override {
        if (!service_->empty()) all["secondaries"] = service_->status();
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }
    void add_problems(Problems& problems) override {
        for (std::string& text : service_->problems())
            problems.push_back({"zones", std::move(text)});
    }
    void add_conditions(std::vector<ops::HealthCheck>& checks) override {
        if (!service_->empty()) checks.push_back({"zones", service_->missing()});
    }
    void end() override {
        if (service_) service_->end();
    }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    ReloadPart& reload_;
    ClientsPart& clients_;
    std::shared_ptr<transfer::ZoneService> service_;
};

}  // namespace

Parts::Maker transfer_part() {
    return Parts::maker<TransferPart>();
}

}  // namespace steer

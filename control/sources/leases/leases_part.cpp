// DHCP leases of routers, as a part of the daemon.
#include <memory>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/leases/lease_service.h"

namespace steer {
namespace {

class LeasesPart final : public Part {
  public:
    static constexpr std::string_view kName = "leases";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart>;
    explicit LeasesPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()) {}

    Result<void> start() override {
        const FilesAs files(settings_.user());  // it reads what it kept
        service_ = std::make_unique<leases::LeaseService>(
            main_.io(), main_.clock(), workers_.runtime().shared().qsbr,
            settings_.get().control.leases, events_.router_log());
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(configuration_.built().leases); }
    void poll() override { service_->poll(); }
    void follow(const config::Settings&, build::Built& built) override {
        service_->follow(built.leases);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    std::unique_ptr<leases::LeaseService> service_;
};

}  // namespace

Parts::Maker leases_part() {
    return Parts::maker<LeasesPart>();
}

}  // namespace steer

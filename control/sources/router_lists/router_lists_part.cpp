// Address lists and DNS servers of routers, as a part of the daemon.
#include <memory>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/router_lists/router_list_service.h"

namespace steer {
namespace {

class RouterListsPart final : public Part {
  public:
    static constexpr std::string_view kName = "router_lists";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart>;
    explicit RouterListsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()) {}

    Result<void> start() override {
        const FilesAs files(settings_.user());  // it reads what it kept
        service_ = std::make_unique<router_lists::RouterListService>(
            main_.io(), main_.clock(), workers_.runtime().shared().qsbr,
            settings_.get().control.router_lists, events_.router_log());
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(configuration_.built().router_lists); }
    void poll() override { service_->poll(); }
    void follow(const config::Settings&, build::Built& built) override {
        service_->follow(built.router_lists);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    std::unique_ptr<router_lists::RouterListService> service_;
};

}  // namespace

Parts::Maker router_lists_part() {
    return Parts::maker<RouterListsPart>();
}

}  // namespace steer

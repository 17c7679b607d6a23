// A part of the daemon for a service that follows menus of routers and stores their contents in a
// file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"

namespace steer {

// `Kind`: {Service; kName; kFile, the setting of its file; kPlans, its plans}.
template <class Kind>
class FollowedPart final : public Part {
  public:
    static constexpr std::string_view kName = Kind::kName;
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart>;
    explicit FollowedPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()) {}

    [[nodiscard]] const typename Kind::Service& service() const { return *service_; }

    Result<void> start() override {
        const FilesAs files(settings_.user());  // to read its stored file
        service_ = std::make_unique<typename Kind::Service>(
            main_.io(), main_.clock(), workers_.runtime().shared().qsbr,
            settings_.get().control.*Kind::kFile, events_.router_log());
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(configuration_.built().*Kind::kPlans); }
    void poll() override { service_->poll(); }
    void follow(const config::Settings&, build::Built& built) override {
        service_->follow(built.*Kind::kPlans);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    std::unique_ptr<typename Kind::Service> service_;
};

}  // namespace steer

// Cron jobs and tasks that queries start, as a part of the daemon.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/reload_part.h"
#include "control/sources/tasks/task_service.h"

namespace steer {
namespace {

class TasksPart final : public Part {
  public:
    static constexpr std::string_view kName = "tasks";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, ReloadPart>;
    explicit TasksPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          reload_(needs.get<ReloadPart>()) {}

    void serve() override {
        service_ = std::make_unique<tasks::TaskService>(
            main_.io(),
            [this](const std::string& why, const std::function<void(bool)>& done) {
                reload_.request(
                    why, [done](const ReloadOutcome& outcome) { done(outcome.errors.empty()); });
            },
            [this] {
                return tasks::Clocks{MainLoop::wall_time(), main_.now_ms() / 1000};
            });
        service_->follow(settings_.get());
    }
    // Tasks that queries asked for. A request that cannot begin yet stays pending.
    void poll() override {
        if (!service_) return;
        for (const auto& [tag, flag] : configuration_.registry().tasks()) {
            if (flag->take() && !service_->raise(tag)) flag->raise();
        }
    }
    void follow(const config::Settings& settings, build::Built&) override {
        if (service_) service_->follow(settings);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        if (service_) service_->write_metrics(writer);
    }
    void end() override {
        if (service_) service_->end();
    }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    ReloadPart& reload_;
    std::unique_ptr<tasks::TaskService> service_;
};

}  // namespace

Parts::Maker tasks_part() {
    return Parts::maker<TasksPart>();
}

}  // namespace steer

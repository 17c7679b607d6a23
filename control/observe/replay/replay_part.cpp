// Replays of recorded queries, as a part of the daemon.
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/recorder/recorder_part.h"
#include "control/observe/replay/replay_service.h"
#include "control/parts.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/workers_part.h"

namespace steer {
namespace {

class ReplayPart final : public Part {
  public:
    static constexpr std::string_view kName = "replay";
    using Needs = steer::Needs<MainLoop, StartSettings, StartSource, WorkersPart, RecorderPart>;
    explicit ReplayPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          workers_(needs.get<WorkersPart>()),
          recorder_(needs.get<RecorderPart>()),
          service_(main_.io(), needs.get<StartSource>().get()) {}

    void add_methods(ops::Methods& methods) override {
        service_.add_methods(methods,
                             {recorder_.recorder(), workers_.runtime().buffers(), main_.clock()});
    }
    void serve() override { service_.follow(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override {
        service_.follow(settings);
    }
    void end() override { service_.end(); }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    WorkersPart& workers_;
    RecorderPart& recorder_;
    replay::ReplayService service_;
};

}  // namespace

Parts::Maker replay_part() {
    return Parts::maker<ReplayPart>();
}

}  // namespace steer

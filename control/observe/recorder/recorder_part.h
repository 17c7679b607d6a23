// The query log, as a part of the daemon.
#pragma once

#include <memory>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/recorder/recorder.h"
#include "control/observe/recorder/recorder_methods.h"
#include "control/part.h"
#include "control/runtime/workers_part.h"
#include "control/sources/clients/clients_part.h"

namespace steer {

class RecorderPart final : public Part {
  public:
    static constexpr std::string_view kName = "recorder";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, WorkersPart, ClientsPart>;
    explicit RecorderPart(const Needs& needs);

    void add_methods(ops::Methods& methods) override { methods_->add_methods(methods); }
    // The serving user opens the files.
    void serve() override;
    void poll() override;
    void prepare(const build::Built& built) override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void finish() override;
    [[nodiscard]] bool has_background_work() const override { return true; }

    [[nodiscard]] recorder::Recorder& recorder() { return *recorder_; }
    [[nodiscard]] recorder::RecorderMethods& methods() { return *methods_; }

  private:
    void record(const config::Settings& settings);

    const StartSettings& settings_;
    Events& events_;
    WorkersPart& workers_;
    std::unique_ptr<recorder::Recorder> recorder_;
    std::unique_ptr<recorder::RecorderMethods> methods_;
};

}  // namespace steer

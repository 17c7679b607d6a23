// Lists from URLs, as a part of the daemon.
#pragma once

#include <memory>
#include <string_view>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/runtime/reload_part.h"
#include "control/sources/fetch/fetcher.h"

namespace steer {

class FetchPart final : public Part {
  public:
    static constexpr std::string_view kName = "fetch";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, ReloadPart>;
    explicit FetchPart(const Needs& needs);

    void serve() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void end() override;
    [[nodiscard]] bool has_background_work() const override { return true; }

    // nullptr: the start is not finished.
    [[nodiscard]] fetch::Fetcher* fetcher() { return fetcher_.get(); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    ReloadPart& reload_;
    std::unique_ptr<fetch::Fetcher> fetcher_;
};

}  // namespace steer

// Thread `routers` as a part of the daemon: RouterOS routers. Other sinks join it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>

#include "control/api/rpc/events.h"
#include "control/cache/cache_part.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sinks/routers/router_thread.h"

namespace steer {

class RoutersPart final : public Part {
  public:
    static constexpr std::string_view kName = "routers";
    using Needs =
        steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart, CachePart>;
    explicit RoutersPart(const Needs& needs);

    Result<void> start() override;
    void add_methods(ops::Methods& methods) override;
    void serve() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override;
    void finish() override;

    // nullptr before serve().
    [[nodiscard]] const std::unique_ptr<RouterThread>& thread() const { return thread_; }

    // ---- for other sinks, in their start()

    // Adds sinks or peers to the thread, before it starts.
    using Join = std::function<void(RouterThread& thread)>;
    void on_start(Join join) { joins_.push_back(std::move(join)); }
    // Takes the plans of a reload on the main thread. The returned function applies them on thread
    // `routers`.
    using Follow =
        std::function<std::function<void()>(const config::Settings& settings, build::Built& built)>;
    void on_follow(Follow follow) { follows_.push_back(std::move(follow)); }
    // Rows of other routers for the method `routers`.
    void set_other_rows(std::function<boost::json::array()> rows) { other_rows_ = std::move(rows); }

  private:
    RouterFindings findings();

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    CachePart& cache_;
    std::vector<Join> joins_;
    std::vector<Follow> follows_;
    std::function<boost::json::array()> other_rows_;
    std::unique_ptr<RouterThread> thread_;
};

}  // namespace steer

// The ports of the configuration, and the thread for frames of the kernel.
#pragma once

#include <memory>
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/runtime/dpdk_part.h"
#include "control/runtime/ports/exception_thread.h"
#include "control/runtime/ports/port_set.h"
#include "control/runtime/ports/wakeup_watch.h"

namespace steer {

class PortsPart final : public Part {
  public:
    static constexpr std::string_view kName = "ports";
    using Needs = steer::Needs<MainLoop, StartSettings, DpdkPart>;
    explicit PortsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          dpdk_(needs.get<DpdkPart>()) {}

    Result<void> start() override;
    void serve() override;
    void poll() override;
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void finish() override;

    [[nodiscard]] PortSet& set() { return *ports_; }
    [[nodiscard]] const PortSet& set() const { return *ports_; }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    const DpdkPart& dpdk_;
    std::unique_ptr<PortSet> ports_;
    std::unique_ptr<ExceptionThread> exceptions_;
    WakeupWatch wakeups_;
};

}  // namespace steer

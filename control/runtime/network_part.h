// The kernel's routes, neighbours and addresses, followed for workers and listeners.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "control/config/start_settings.h"
#include "control/host/kernel/next_hops.h"
#include "control/host/kernel/reserved_ports.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/ports/kernel_side.h"
#include "control/runtime/ports/ports_part.h"
#include "control/runtime/stream_threads.h"
#include "control/runtime/workers_part.h"

namespace steer {

class NetworkPart final : public Part {
  public:
    static constexpr std::string_view kName = "network";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, PortsPart, WorkersPart>;
    explicit NetworkPart(const Needs& needs);

    Result<void> start() override;
    void poll() override;
    void prepare(const build::Built& built) override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void forget_earlier() override;
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override;

    // The present ones.
    [[nodiscard]] const std::vector<ServiceAddress>& service_addresses() const {
        return service_addresses_;
    }
    [[nodiscard]] const std::map<IpAddress, int>& vrfs() const { return vrfs_; }
    // Interfaces with a copying port, sorted.
    [[nodiscard]] const std::vector<int>& copying_interfaces() const { return copying_; }

    // `changed` is called after each change, from the start on.
    void on_change(std::function<void()> changed) { changed_.push_back(std::move(changed)); }
    // The same, also for changes that do not affect the addresses and routes that we use.
    void on_any_change(std::function<void()> changed) {
        any_changed_.push_back(std::move(changed));
    }

    // Whether all upstreams of this snapshot are reachable, according to the routes.
    [[nodiscard]] bool reaches(const Snapshot& snapshot) const;
    // The route of an upstream without a channel.
    [[nodiscard]] NextHop::Via route_of(std::uint16_t upstream) const;

  private:
    void take(kernel::NextHopView view);
    Result<void> set_upstreams();
    [[nodiscard]] std::vector<IpAddress> upstream_addresses() const;

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    PortsPart& ports_;
    WorkersPart& workers_;
    std::vector<std::uint16_t> service_ports_, dropped_ports_;
    // Those of the present snapshot, and of earlier ones that still exist.
    std::vector<Upstream> upstreams_;
    std::vector<ServiceAddress> service_addresses_;  // on kernel interfaces
    std::map<IpAddress, int> vrfs_;                  // of upstreams
    std::vector<int> copying_;
    std::vector<kernel::DeviceState> devices_;  // of the ports
    std::vector<std::function<void()>> changed_, any_changed_;
    std::unique_ptr<kernel::ReservedPorts> reserved_;
    std::unique_ptr<KernelSide> kernel_side_;
    std::unique_ptr<kernel::NextHops> watcher_;
};

}  // namespace steer

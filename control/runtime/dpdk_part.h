// DPDK's memory, and the CPUs of the threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/start_settings.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/sizing.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/numa.h"

namespace steer {

class DpdkPart final : public Part {
  public:
    static constexpr std::string_view kName = "dpdk";
    // It follows the check of the configuration, so an invalid one takes no resources.
    using Needs = steer::Needs<StartSettings, Configuration>;
    explicit DpdkPart(const Needs& needs) : settings_(needs.get<StartSettings>()) {}

    Result<void> start() override;
    void add_status(boost::json::object& all) override;
    void add_problems(Problems& problems) override;

    [[nodiscard]] const Eal& eal() const { return *eal_; }
    [[nodiscard]] const CpuPlan& cpus() const { return cpus_; }
    // The NUMA node whose memory each worker gets. Empty: DPDK and the kernel choose.
    [[nodiscard]] const std::vector<int>& nodes() const { return nodes_; }
    [[nodiscard]] int first_node() const { return nodes_.empty() ? kAnyNode : nodes_.front(); }
    [[nodiscard]] unsigned workers() const { return static_cast<unsigned>(cpus_.workers.size()); }

  private:
    void plan_memory(const NumaNodes& nodes, const std::string& default_interface);
    // Lets DPDK choose if it has no memory on a node.
    void check_nodes();
    [[nodiscard]] EalOptions options() const;

    const StartSettings& settings_;
    CpuPlan cpus_;
    std::vector<int> nodes_;
    std::vector<Error> advice_;  // about NUMA nodes
    std::unique_ptr<Eal> eal_;
};

}  // namespace steer

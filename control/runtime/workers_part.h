// The workers: their tables, the snapshots that they read, and their messages to the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/host/process/published.h"
#include "control/part.h"
#include "control/program/build/publish.h"
#include "control/program/build/time_windows.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/dpdk_part.h"
#include "control/runtime/ports/ports_part.h"
#include "control/runtime/query_record_feed.h"
#include "dataplane/port/next_hop.h"

namespace steer {

class WorkersPart final : public Part {
  public:
    static constexpr std::string_view kName = "workers";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, DpdkPart, PortsPart>;
    explicit WorkersPart(const Needs& needs);
    ~WorkersPart() override;

    // Sizes the tables and publishes the first snapshot.
    Result<void> start() override;
    void serve() override;
    void poll() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void stop() override;
    void finish() override;
    [[nodiscard]] bool has_background_work() const override { return true; }

    [[nodiscard]] DataplaneRuntime& runtime() { return *runtime_; }
    [[nodiscard]] const DataplaneRuntime& runtime() const { return *runtime_; }
    [[nodiscard]] QueryRecordFeed& records() { return *records_; }
    [[nodiscard]] build::Publisher& publisher() { return *publisher_; }
    [[nodiscard]] const Snapshot& snapshot() const { return *publisher_->current(); }
    [[nodiscard]] Published<NextHopTable>& hops() { return *hops_; }
    [[nodiscard]] const NextHopTable& hop_table() const { return *hops_->current(); }

    // Names that clients' queries add: the set's tag. Empty: its configuration was replaced.
    using Learned = std::function<void(std::string_view tag, std::span<const std::uint8_t> name)>;
    void set_learned(Learned learned) { learned_ = std::move(learned); }

  private:
    void take_notes();

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    DpdkPart& dpdk_;
    PortsPart& ports_;
    Learned learned_;
    build::WindowClock windows_;  // of `time` matchers
    std::unique_ptr<DataplaneRuntime> runtime_;
    std::unique_ptr<QueryRecordFeed> records_;
    std::unique_ptr<Published<NextHopTable>> hops_;
    std::unique_ptr<build::Publisher> publisher_;
};

}  // namespace steer

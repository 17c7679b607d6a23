// TCP, DoT and DoH: the threads, their certificates, and upstreams that they query.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/heap_trim.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/connection_plan.h"
#include "control/runtime/network_part.h"
#include "control/runtime/stream_threads.h"
#include "control/runtime/workers_part.h"

namespace steer {

class StreamsPart final : public Part {
  public:
    static constexpr std::string_view kName = "streams";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, PortsPart,
                               WorkersPart, NetworkPart>;
    explicit StreamsPart(const Needs& needs);

    Result<void> start() override;
    Result<void> open() override;
    void serve() override;
    void poll() override;
    void read_again(const config::Settings& settings, const build::Built* built,
                    std::vector<Error>& warnings) override;
    void prepare(const build::Built& built) override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void forget_earlier() override;
    void drain(bool is_draining) override;
    void add_status(boost::json::object& all) override;
    void add_counters(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void stop() override;

    [[nodiscard]] StreamThreads& threads() { return *threads_; }
    // Whether a query to an upstream found no free descriptor in the last minute.
    [[nodiscard]] bool lacks_descriptors() const;

  private:
    [[nodiscard]] std::uint64_t quic_memory() const;
    void share_cpus();
    // Limits connections and sockets as the configuration needs; warns once about what is lacking.
    void plan_connections_of(const config::Settings& settings, const build::Channels& channels);
    [[nodiscard]] std::uint64_t sum_of(StreamCount count) const;

    // A counter, and when it last moved.
    struct Watched {
        std::uint64_t seen = 0;
        std::optional<std::uint64_t> moved_ms;
        void see(std::uint64_t now, std::uint64_t now_ms);
    };
    [[nodiscard]] bool is_recent(const Watched& watched) const;

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    PortsPart& ports_;
    WorkersPart& workers_;
    NetworkPart& network_;
    build::Channels channels_;  // of the present snapshot, and of earlier ones that still exist
    HeapTrim heap_trim_;
    std::optional<std::uint64_t> open_at_start_;  // descriptors
    ConnectionPlan plan_;
    std::string reported_;  // the warnings of the plan in force
    Watched refused_, without_descriptor_;
    std::unique_ptr<StreamThreads> threads_;
};

}  // namespace steer

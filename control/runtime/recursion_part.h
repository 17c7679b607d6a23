// Recursion, as a part of the daemon: the engine's instances, and reports about them.
#pragma once

#include <sys/types.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/api/rpc/methods.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/engine/control_group.h"
#include "control/program/engine/engine_process.h"
#include "control/program/engine/instance.h"
#include "control/program/engine/plans.h"

namespace steer {

class RecursionPart final : public Part, public recursion::Instance::Owner {
  public:
    static constexpr std::string_view kName = "recursion";
    using Needs = steer::Needs<MainLoop, StartSettings, Events>;
    explicit RecursionPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          events_(needs.get<Events>()) {}

    Result<void> start() override;
    void add_methods(ops::Methods& methods) override;
    void serve() override { take(settings_.get()); }
    void poll() override;
    void follow(const config::Settings& settings, build::Built&) override { take(settings); }
    void add_status(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void stop() override;

    // An engine belongs to this port of 127.0.0.1, and has ended or is not up yet: who answers there
    // is another program.
    [[nodiscard]] bool is_down(std::uint16_t port) const;
    // It starts for the first time, and nothing is wrong yet.
    [[nodiscard]] bool is_starting(std::uint16_t port) const;
    // Why this name could not be resolved or validated, the last reasons first.
    [[nodiscard]] boost::json::array failures_of(std::string_view name) const;
    // Called with the port after each change of that.
    std::function<void(std::uint16_t port)> on_change = [](std::uint16_t) {};

  private:
    using Key = std::pair<std::string, unsigned>;  // tag of the plugin, number
    struct Kept {
        std::unique_ptr<recursion::Instance> instance;
        std::string name;  // "resolve-0", as its upstream
        std::uint64_t lines_since_ms = 0;
        unsigned lines = 0, left_out = 0;
        std::array<std::uint64_t, recursion::kFailureReasons.size()> failures{};
        // When no server of the root answered, and when its keys were not valid, last; 0: never.
        std::uint64_t no_root_ms = 0, bad_root_ms = 0;
    };
    struct Failure {
        std::string instance, text, zone;
        recursion::FailureReason reason = recursion::FailureReason::other;
        std::uint64_t at_ms = 0, count = 0;
    };

    // Instance::Owner
    void is_up_changed(const recursion::Instance& instance) override;
    void tell(const recursion::Instance& instance, bool is_warning,
              const std::string& text) override;
    void settings_taken(const recursion::Instance& instance) override;
    void take_line(const recursion::Instance& instance, const recursion::LogLine& line) override;

    void take(const config::Settings& settings);
    void make_control_group(Starter& starter);
    // Ends instances outside of `instances_`: their ends ask about the others.
    template <class Which>
    void end_instances(Which which);
    // Starts, changes and ends instances as `plans_` say.
    void apply();
    recursion::Instance& instance_of(const Key& key);
    void take_failure(Kept& kept, const recursion::LogLine& line);
    void check_machine();
    void replace_old_ones();
    void flush(const ops::Arguments& asked, const ops::RpcDone& done);
    void distrust(const ops::Arguments& asked, const ops::RpcDone& done);
    void set_trust(const std::string& zone, bool is_trusted, const ops::RpcDone& done);
    Kept& kept_of(const recursion::Instance& instance);
    [[nodiscard]] boost::json::object row_of(const Kept& kept) const;
    void to_all(const std::string& command, const ops::RpcDone& done);
    [[nodiscard]] boost::json::array failures() const;

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    std::string folder_;
    std::vector<recursion::Plan> plans_;  // of the configuration
    std::set<std::uint16_t> ports_;       // of all engines that it has
    recursion::ProcessStarter processes_;
    std::optional<recursion::ControlGroup> group_;
    std::string no_group_;  // why there is none
    bool can_run_ = false;  // its folders and its user are there
    std::map<Key, Kept> instances_;
    std::deque<Failure> failures_;
    std::vector<std::string> machine_problems_, left_out_;
    std::uint64_t checked_ms_ = 0;
    std::pair<ino_t, time_t> file_{};  // of the engine's program
    // Those for a time, and the timers of their ends.
    std::map<std::string, std::unique_ptr<boost::asio::steady_timer>> negative_anchors_;
    std::set<std::string> configured_negatives_;
};

}  // namespace steer

// The present configuration, as read and built, for the parts that compare, explain and report it.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "control/config/start_settings.h"
#include "control/host/process/background.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/build/build.h"
#include "control/program/build/registry.h"
#include "control/program/build/sets_in_force.h"
#include "control/program/reload/read_files.h"
#include "control/program/reload/reloader.h"
#include "control/program/reload/start_source.h"
#include "matchers/image_store.h"

namespace steer {

class Configuration final : public Part {
  public:
    static constexpr std::string_view kName = "configuration";
    using Needs = steer::Needs<MainLoop, StartSettings, StartSource>;
    explicit Configuration(const Needs& needs);

    // Checks and builds the configuration of the start, on a separate thread, so that a signal can
    // end it.
    Result<void> start() override;
    [[nodiscard]] bool has_background_work() const override { return true; }

    // The result of the build at the start. Its plans stay until the parts have moved them.
    [[nodiscard]] build::Built& built() { return built_; }
    [[nodiscard]] build::Registry& registry() { return registry_; }
    // Lists with their rules.
    [[nodiscard]] const std::vector<config::ReadList>& lists() const { return lists_; }
    [[nodiscard]] const ReadFiles& read() const { return read_; }
    [[nodiscard]] const SetsInForce& sets() const { return sets_; }
    // Rules without effect yet, because an older image serves; no value: there are none.
    [[nodiscard]] const std::optional<matchers::OlderPatterns>& older_patterns() const {
        return older_patterns_;
    }

    // The start's snapshot was published. `names`: its matcher.
    void started(std::shared_ptr<const matchers::NameMatcher> names);
    // The candidate's snapshot was published. Moves the parts of the candidate that are kept.
    void put_in_force(Candidate& candidate, std::shared_ptr<const matchers::NameMatcher> names);

  private:
    MainLoop& main_;
    StartSettings& settings_;
    const StartSource& source_;
    build::Registry registry_;
    build::Built built_;
    std::vector<config::ReadList> lists_;
    ReadFiles read_;
    SetsInForce sets_;
    std::optional<matchers::OlderPatterns> older_patterns_;
    // Used by the thread, which may outlive start().
    std::atomic<bool> is_judged_ = false;
    std::string no_room_;
    BackgroundThread building_{"build", true};
};

}  // namespace steer

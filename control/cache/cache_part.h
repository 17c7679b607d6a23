// The shared cache, as a part of the daemon: dumps, methods and metrics. Without a cache in the
// configuration it does nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "control/cache/cache_methods.h"
#include "control/cache/cache_service.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/part.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"

namespace steer {

class CachePart final : public Part {
  public:
    static constexpr std::string_view kName = "cache";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, WorkersPart>;
    explicit CachePart(const Needs& needs);

    // Restores dumps before the first query.
    Result<void> start() override;
    void add_methods(ops::Methods& methods) override;
    void add_dump_folders(std::vector<std::string>& folders) const override;
    void serve() override;
    void follow(const config::Settings& settings, build::Built& built) override;
    void add_status(boost::json::object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;
    void add_problems(Problems& problems) override;
    void stop() override;
    void finish() override;

    // Removes the answers for these names; `done` gets their number.
    void flush(std::vector<matchers::Rule> names,
               const std::function<void(Result<std::uint64_t>)>& done);
    // Removes rows of addresses for a flush with rows. The part that writes rows sets it.
    using ForgetRows = std::function<void(std::vector<IpAddress> addresses,
                                          std::function<void(std::size_t)> done)>;
    void set_forget_rows(ForgetRows forget) { forget_rows_ = std::move(forget); }

  private:
    [[nodiscard]] std::vector<CacheOf> caches_of(const config::Settings& settings) const;
    [[nodiscard]] CacheLookupSums lookups(std::uint16_t instance) const;

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    WorkersPart& workers_;
    ForgetRows forget_rows_;
    std::unique_ptr<CacheService> service_;  // nullptr: no cache
};

}  // namespace steer

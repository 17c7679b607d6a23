// Rules that are added while serving, as a part of the daemon.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/reload_part.h"
#include "control/runtime/workers_part.h"
#include "control/sources/rules/rule_service.h"

namespace steer {
namespace {

using rules::RuleService;

class RulesPart final : public Part {
  public:
    static constexpr std::string_view kName = "rules";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, WorkersPart, ReloadPart>;
    explicit RulesPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          workers_(needs.get<WorkersPart>()),
          reload_(needs.get<ReloadPart>()) {}
    ~RulesPart() override { workers_.set_learned({}); }

    Result<void> start() override {
        const FilesAs files(settings_.user());
        service_ = std::make_unique<RuleService>(
            main_.io(),
            [this](const std::string& why, bool by_queries,
                   std::function<void(RuleService::InForce)> done) {
                const auto respond = in_force_of(std::move(done));
                by_queries ? reload_.request_by_queries(why, respond)
                           : reload_.request(why, respond);
            },
            [this] { return workers_.snapshot().generation; },
            [this] { return configuration_.read().are_unchanged(); });
        reload_.ignore([this](const std::string& file) { return service_->is_own_change(file); });
        workers_.set_learned([this](std::string_view tag, std::span<const std::uint8_t> name) {
            if (tag.empty()) return service_->learned_by_nobody();
            service_->learned(std::string(tag), name);
        });
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(settings_.get()); }
    void poll() override { service_->poll(main_.now_ms()); }
    void follow(const config::Settings& settings, build::Built&) override {
        service_->follow(settings);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    WorkersPart& workers_;
    ReloadPart& reload_;
    std::unique_ptr<RuleService> service_;
};

}  // namespace

Parts::Maker rules_part() {
    return Parts::maker<RulesPart>();
}

}  // namespace steer

// Static records that are changed while serving, as a part of the daemon.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/cache/cache_part.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/runtime/reload_part.h"
#include "control/sources/records/static_service.h"

namespace steer {
namespace {

using records::StaticService;

class RecordsPart final : public Part {
  public:
    static constexpr std::string_view kName = "records";
    using Needs = steer::Needs<MainLoop, StartSettings, CachePart, ReloadPart>;
    explicit RecordsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          cache_(needs.get<CachePart>()),
          reload_(needs.get<ReloadPart>()) {}

    Result<void> start() override {
        const FilesAs files(settings_.user());
        service_ = std::make_unique<StaticService>(
            main_.io(),
            [this](const std::string& why, std::function<void(StaticService::InForce)> done) {
                reload_.request(why, in_force_of(std::move(done)));
            },
            [this](std::vector<matchers::Rule> names,
                   const std::function<void(Result<std::uint64_t>)>& done) {
                cache_.flush(std::move(names), done);
            });
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { service_->follow(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override {
        service_->follow(settings);
    }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }

  private:
    MainLoop& main_;
    const StartSettings& settings_;
    CachePart& cache_;
    ReloadPart& reload_;
    std::unique_ptr<StaticService> service_;
};

}  // namespace

Parts::Maker records_part() {
    return Parts::maker<RecordsPart>();
}

}  // namespace steer

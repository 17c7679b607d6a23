// Rules that people add while the daemon serves, as a part of the daemon.
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/cache/cache_part.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/runtime/workers_part.h"
#include "control/sources/blocking/blocking_service.h"
#include "control/sources/clients/clients_part.h"

namespace steer {
namespace {

using blocking::BlockingService;

std::vector<BlockingService::Lists> lists_of(const config::Settings& settings) {
    std::vector<BlockingService::Lists> out;
    for (const config::Plugin& plugin : settings.plugins) {
        BlockingService::Lists one{plugin.tag, {}, {}};
        if (const auto* const ads = std::get_if<config::AdList>(&plugin.args)) {
            for (const config::AdListPart& part : ads->lists) {
                one.lists.push_back(part.name);
                if (part.terms.legal) one.legal.push_back(part.name);
            }
        } else if (const auto* const rpz = std::get_if<config::Rpz>(&plugin.args)) {
            for (const config::RpzZone& zone : rpz->zones) {
                one.lists.push_back(zone.source);
                if (zone.terms.legal) one.legal.push_back(zone.source);
            }
        } else {
            continue;
        }
        out.push_back(std::move(one));
    }
    return out;
}

class BlockingPart final : public Part {
  public:
    static constexpr std::string_view kName = "blocking";
    using Needs = steer::Needs<MainLoop, StartSettings, Configuration, Events, WorkersPart,
                               CachePart, ClientsPart>;
    explicit BlockingPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          configuration_(needs.get<Configuration>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()),
          cache_(needs.get<CachePart>()),
          clients_(needs.get<ClientsPart>()) {}

    Result<void> start() override {
        const FilesAs files(settings_.user());
        service_ = std::make_unique<BlockingService>(
            main_.io(),
            blocking::Times{[] { return std::int64_t{::time(nullptr)}; }, main_.clock()},
            workers_.runtime().shared().qsbr, configuration_.registry().name_rules(),
            clients_.groups().book(), settings_.get().control.rules_file(),
            [this](std::vector<matchers::Rule> names) {
                cache_.flush(std::move(names), [](const Result<std::uint64_t>&) {});
            });
        clients_.groups().set_rules(
            {[this] { service_->follow_groups(); },
             [this](std::string_view group) { return service_->rules_for(group); }});
        events_.shared().push_back(&service_->shared());
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void serve() override { follow_settings(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override {
        follow_settings(settings);
    }
    void poll() override { service_->poll(); }
    void write_metrics(ops::MetricWriter& writer) override { service_->write_metrics(writer); }
    void add_problems(Problems& problems) override { service_->add_problems(problems); }

  private:
    void follow_settings(const config::Settings& settings) {
        service_->follow(settings.control.rules_file(), lists_of(settings));
    }

    MainLoop& main_;
    const StartSettings& settings_;
    Configuration& configuration_;
    Events& events_;
    WorkersPart& workers_;
    CachePart& cache_;
    ClientsPart& clients_;
    std::unique_ptr<BlockingService> service_;
};

}  // namespace

Parts::Maker blocking_part() {
    return Parts::maker<BlockingPart>();
}

}  // namespace steer

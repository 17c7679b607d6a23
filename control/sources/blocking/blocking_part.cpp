#include "control/sources/blocking/blocking_part.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "control/host/process/files_as.h"
#include "control/parts.h"

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

}  // namespace

BlockingPart::BlockingPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      cache_(needs.get<CachePart>()),
      clients_(needs.get<ClientsPart>()) {}

Result<void> BlockingPart::start() {
    const FilesAs files(settings_.user());
    service_ = std::make_unique<BlockingService>(
        main_.io(), blocking::Times{[] { return std::int64_t{::time(nullptr)}; }, main_.clock()},
        workers_.runtime().shared().qsbr, configuration_.registry().name_rules(),
        clients_.groups().book(),
        [this](std::string_view written) { return clients_.audience(written); },
        settings_.get().control.rules_file(),
        [this](std::vector<matchers::Rule> names) {
            cache_.flush(std::move(names), [](const Result<std::uint64_t>&) {});
        });
    clients_.groups().set_rules(
        {[this] { service_->follow_groups(); },
         [this](std::string_view group) { return service_->rules_for(group); }});
    events_.shared().push_back(&service_->shared());
    return {};
}

void BlockingPart::serve() {
    follow_settings(settings_.get());
}

void BlockingPart::follow(const config::Settings& settings, build::Built& /*built*/) {
    follow_settings(settings);
}

void BlockingPart::follow_settings(const config::Settings& settings) {
    service_->follow(settings.control.rules_file(), lists_of(settings));
}

Parts::Maker blocking_part() {
    return Parts::maker<BlockingPart>();
}

}  // namespace steer

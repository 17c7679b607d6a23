#include "control/program/reload/configuration.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <new>
#include <string>
#include <utility>

#include "control/config/lists/list_changes.h"
#include "control/host/process/files_as.h"
#include "control/host/process/process_limits.h"
#include "control/parts.h"
#include "control/program/build/image_folder.h"
#include "control/program/reload/judge.h"

namespace steer {
namespace {

constexpr std::chrono::milliseconds kSignalCheckEvery{100};

}  // namespace

Parts::Maker configuration_part() {
    return Parts::maker<Configuration>();
}

Configuration::Configuration(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      source_(needs.get<StartSource>()),
      read_(settings_.get()) {}

Result<void> Configuration::start() {
    const config::Settings& settings = settings_.get();
    auto begun = building_.run([this, &settings] {
        try {
            const FilesAs files(settings_.user(), sources_of(settings));
            build::ImageFolder images(settings.control.images, settings_.user());
            images.allow_older();
            built_ = judge(settings, registry_, images.folder().empty() ? nullptr : &images);
            older_patterns_ = images.older();
        } catch (const std::bad_alloc&) {
            no_room_ = no_memory("to build the configuration").text;
        }
        is_judged_ = true;
        boost::asio::post(main_.io(), [] {});  // wakes the loop below
    });
    if (!begun) return begun;
    while (!is_judged_ && !main_.has_ended())
        main_.io().run_one_for(kSignalCheckEvery);
    if (main_.has_ended()) return Error{"ended by a signal"};
    if (!no_room_.empty()) return Error{no_room_};
    for (const auto& warning : built_.warnings)
        spdlog::warn("{}", warning.sentence());
    if (!built_.ok()) return built_.errors.front();
    lists_ = settings.lists;
    for (const auto& news : config::list_news({}, lists_))
        spdlog::info("{}", news);
    config::drop_rules(settings_.to_reduce());
    ::malloc_trim(0);  // a list of a million lines was 100 MiB of them
    return {};
}

void Configuration::started(std::shared_ptr<const matchers::NameMatcher> names) {
    sets_ = {built_.sets, std::move(names)};
    source_.get().in_force->set(std::move(settings_.to_reduce().texts));
}

void Configuration::put_in_force(Candidate& candidate,
                                 std::shared_ptr<const matchers::NameMatcher> names) {
    registry_ = std::move(candidate.registry);
    older_patterns_.reset();
    for (const auto& news : config::list_news(lists_, candidate.settings.lists))
        spdlog::info("{}", news);
    lists_ = candidate.settings.lists;
    read_ = std::move(candidate.read);
    sets_ = {std::move(candidate.built.sets), std::move(names)};
    source_.get().in_force->set(std::move(candidate.settings.texts));
}

}  // namespace steer

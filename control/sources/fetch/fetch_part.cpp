#include "control/sources/fetch/fetch_part.h"

#include <string>
#include <utility>

#include "control/parts.h"

namespace steer {

Parts::Maker fetch_part() {
    return Parts::maker<FetchPart>();
}

FetchPart::FetchPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      reload_(needs.get<ReloadPart>()) {}

void FetchPart::serve() {
    fetcher_ = std::make_unique<fetch::Fetcher>(
        main_.io(),
        [this](const std::string& what, const fetch::Fetcher::Done& done) {
            reload_.request(what, [done](const ReloadOutcome&) { done(); });
        },
        [this](bool is_warning, const std::string& line) {
            events_.tell(ops::EventKind::list,
                         is_warning ? ops::EventLevel::warning : ops::EventLevel::info, line);
        });
    fetcher_->follow(settings_.get());
}

void FetchPart::follow(const config::Settings& settings, build::Built&) {
    if (fetcher_) fetcher_->follow(settings);
}

void FetchPart::write_metrics(ops::MetricWriter& writer) {
    if (fetcher_) fetcher_->write_metrics(writer);
}

void FetchPart::add_problems(Problems& problems) {
    if (!fetcher_) return;
    for (std::string& text : fetcher_->problems())
        problems.push_back({"lists", std::move(text)});
}

void FetchPart::end() {
    if (fetcher_) fetcher_->end();
}

}  // namespace steer

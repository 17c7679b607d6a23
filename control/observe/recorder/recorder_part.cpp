#include "control/observe/recorder/recorder_part.h"

#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "control/observe/recorder/json_line.h"
#include "control/parts.h"
#include "matchers/quote.h"

namespace steer {

Parts::Maker recorder_part() {
    return Parts::maker<RecorderPart>();
}

RecorderPart::RecorderPart(const Needs& needs)
    : settings_(needs.get<StartSettings>()),
      events_(needs.get<Events>()),
      workers_(needs.get<WorkersPart>()),
      recorder_(std::make_unique<recorder::Recorder>(
          workers_.records(),
          [] {
              return std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                  .count();
          },
          [](const std::string& sentence) { spdlog::warn("{}", sentence); })),
      methods_(std::make_unique<recorder::RecorderMethods>(
          needs.get<MainLoop>().io(), *recorder_,
          [&clients = needs.get<ClientsPart>()](std::string_view group) {
              return clients.members_of(group);
          })) {
    recorder_->set_watcher([all = events_.subscriptions()](const recorder::RecordedQuery& query) {
        // The last two only if they tell the decision.
        static constexpr std::array<std::string_view, 8> kForOperators{
            "decision", "plugin", "list", "line", "list_rule", "rule", "ede", "answers"};
        const std::size_t hidden =
            kForOperators.size() - (recorder::shows_block(query.ede) ? 0 : 2);
        const ops::Facts facts{.kind = query.end,
                               .name = query.name,
                               .client = query.client,
                               .for_operators = std::span(kForOperators).first(hidden)};
        all->publish(ops::Topic::queries, facts, [&query] { return recorder::json_of(query); });
    });
}

void RecorderPart::serve() {
    recorder_->prepare(recorder::Deciders(workers_.snapshot()));
    record(settings_.get());
}

void RecorderPart::poll() {
    recorder_->watch(events_.subscriptions()->wants(ops::Topic::queries));
}

void RecorderPart::prepare(const build::Built& built) {
    recorder_->prepare(recorder::Deciders(*built.snapshot));
}

void RecorderPart::follow(const config::Settings& settings, build::Built&) {
    record(settings);
}

void RecorderPart::record(const config::Settings& settings) {
    recorder::RecordNames names;
    names.generation = workers_.snapshot().generation;
    for (const Upstream& upstream : workers_.snapshot().upstreams) {
        if (names.upstreams.size() <= upstream.id) names.upstreams.resize(upstream.id + 1U);
        names.upstreams[upstream.id] = upstream.name;
    }
    const auto name_list = [&names](ListId id, const std::string& tag) {
        if (names.lists.size() <= id) names.lists.resize(id + 1U);
        names.lists[id] = tag;
    };
    for (const PolicyList& list : workers_.snapshot().lists) {
        name_list(list.id, list.tag);
        for (const auto& served : list.served)
            name_list(served.id, list.tag);
    }
    for (const config::PluginIndex entry : settings.entries)
        names.entries.push_back(settings.plugin(entry).tag);
    recorder::MarkBits marks;
    for (const MarkNumber& mark : workers_.snapshot().marks)
        marks.emplace(mark.number, mark.bit);
    recorder_->follow(recorder::recording_plans(settings, marks), std::move(names));
}

void RecorderPart::write_metrics(ops::MetricWriter& writer) {
    recorder_->write_metrics(writer);
}

void RecorderPart::add_problems(Problems& problems) {
    for (const auto& recording : recorder_->status().recordings) {
        for (const auto& sink : recording.sinks) {
            if (sink.is_well) continue;
            problems.push_back(
                {"recorder",
                 "query_recorder " + matchers::quoted(recording.tag) + ": " +
                     (sink.error.empty() ? sink.place + " is not connected" : sink.error) +
                     "; `steerctl recorder` counts the queries that are missing"});
        }
    }
}

void RecorderPart::finish() {
    recorder_->stop();
}

}  // namespace steer

#include "control/api/metrics/worker_counters.h"

#include <span>
#include <string>
#include <string_view>

namespace steer::ops {
namespace {

using Labels = std::span<const std::string_view>;

boost::json::object to_json(Labels labels, std::span<const Count> counts) {
    boost::json::object object;
    object.reserve(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i)
        object[labels[i]] = counts[i].get();
    return object;
}

void write_ends(MetricWriter& writer, std::string_view worker, std::string_view label,
                Labels labels, std::span<const Count> counts) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
        writer.sample({{"worker", worker}, {label, labels[i]}}, counts[i].get());
    }
}

}  // namespace

void write_counters(MetricWriter& writer, unsigned worker, const Counters& counters) {
    const std::string index = std::to_string(worker);
    writer.family("steerdns_verdicts");
    write_ends(writer, index, "verdict", kVerdictLabels, counters.verdicts);
    writer.family("steerdns_moved");
    write_ends(writer, index, "end", kMovedLabels, counters.moved);
    writer.family("steerdns_injected");
    write_ends(writer, index, "end", kInjectedLabels, counters.injected);
    writer.family("steerdns_pending_outcomes");
    write_ends(writer, index, "end", kPendingOutcomeLabels, counters.pending_outcomes);
    for (std::size_t i = 0; i < counters.stats.size(); ++i) {
        writer.counter("steerdns_" + std::string(kStatLabels[i]), kStatTexts[i]);
        writer.sample({{"worker", index}}, counters.stats[i].get());
    }
}

boost::json::object counters_to_json(const Counters& counters) {
    return {{"verdicts", to_json(kVerdictLabels, counters.verdicts)},
            {"moved", to_json(kMovedLabels, counters.moved)},
            {"injected", to_json(kInjectedLabels, counters.injected)},
            {"pending_outcomes", to_json(kPendingOutcomeLabels, counters.pending_outcomes)},
            {"stats", to_json(kStatLabels, counters.stats)}};
}

}  // namespace steer::ops

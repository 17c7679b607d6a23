#include "control/api/metrics/worker_counters.h"

#include <span>
#include <string>
#include <string_view>

namespace steer::ops {
namespace {

template <class Table>
boost::json::object to_json(const Table& table, std::span<const Count> counts) {
    boost::json::object object;
    object.reserve(counts.size());
    for (const auto& row : table)
        object[row.label] = counts[static_cast<std::size_t>(row.which)].get();
    return object;
}

template <class Table>
void write_ends(MetricWriter& writer, std::string_view worker, std::string_view label,
                const Table& table, std::span<const Count> counts) {
    for (const auto& row : table) {
        writer.sample({{"worker", worker}, {label, row.label}},
                      counts[static_cast<std::size_t>(row.which)].get());
    }
}

}  // namespace

void write_counters(MetricWriter& writer, unsigned worker, const Counters& counters) {
    const std::string index = std::to_string(worker);
    writer.family("steerdns_verdicts");
    write_ends(writer, index, "verdict", kVerdicts, counters.verdicts);
    writer.family("steerdns_moved");
    write_ends(writer, index, "end", kMovedEnds, counters.moved);
    writer.family("steerdns_injected");
    write_ends(writer, index, "end", kInjectedEnds, counters.injected);
    writer.family("steerdns_pending_outcomes");
    write_ends(writer, index, "end", kPendingOutcomes, counters.pending_outcomes);
    for (const auto& stat : kStats) {
        writer.counter("steerdns_" + std::string(stat.label), stat.text);
        writer.sample({{"worker", index}}, counters.get(stat.which));
    }
}

boost::json::object counters_to_json(const Counters& counters) {
    return {{"verdicts", to_json(kVerdicts, counters.verdicts)},
            {"moved", to_json(kMovedEnds, counters.moved)},
            {"injected", to_json(kInjectedEnds, counters.injected)},
            {"pending_outcomes", to_json(kPendingOutcomes, counters.pending_outcomes)},
            {"stats", to_json(kStats, counters.stats)}};
}

}  // namespace steer::ops

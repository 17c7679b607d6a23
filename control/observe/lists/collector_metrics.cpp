#include "control/observe/lists/list_reports.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace steer {
namespace {

struct Sum {
    std::uint64_t entered = 0, left = 0, errors = 0, latency_ms = 0;
    std::array<std::uint64_t, Collector::kBoundsMs.size() + 1> by_latency{};
};

// Reads the completed queries first, so that no query completes before it arrives.
Sum sum_of(const Collector& collector) {
    Sum sum;
    for (unsigned w = 0; w < collector.workers(); ++w) {
        const Collector::Counts& counts = collector.of_worker(w);
        sum.left += counts.left.get();
        sum.entered += counts.entered.get();
        sum.errors += counts.errors.get();
        sum.latency_ms += counts.latency_ms.get();
        for (std::size_t i = 0; i < sum.by_latency.size(); ++i)
            sum.by_latency[i] += counts.by_latency[i].get();
    }
    return sum;
}

}  // namespace

void write_collector_metrics(ops::MetricWriter& writer,
                             const std::vector<std::shared_ptr<Collector>>& collectors) {
    for (std::size_t i = 0; i < collectors.size(); ++i) {
        const auto end = collectors.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(collectors.begin(), end, collectors[i]) != end) continue;  // the same name
        const std::string& name = collectors[i]->name();
        const Sum sum = sum_of(*collectors[i]);
        writer.family("steerdns_collector_queries");
        writer.sample({{"name", name}}, sum.entered);
        writer.family("steerdns_collector_errors");
        writer.sample({{"name", name}}, sum.errors);
        writer.family("steerdns_collector_inflight");
        writer.sample({{"name", name}}, sum.entered - std::min(sum.entered, sum.left));
        writer.family("steerdns_collector_latency_seconds");
        writer.latencies({{"name", name}}, Collector::kBoundsMs, sum.by_latency,
                         static_cast<double>(sum.latency_ms) / 1000);
    }
}

}  // namespace steer

#include "control/collector_metrics.h"

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

double seconds(std::uint64_t ms) {
    return static_cast<double>(ms) / 1000;
}

// "0.005".
std::string bound_text(std::uint32_t ms) {
    std::string text = std::to_string(ms / 1000);
    const std::string part = std::to_string(1000 + ms % 1000).substr(1);
    const auto last = part.find_last_not_of('0');
    return last == std::string::npos ? text + ".0" : text + "." + part.substr(0, last + 1);
}

void write_latency(ops::MetricWriter& writer, const std::string& name, const Sum& sum) {
    writer.family("steerdns_collector_latency_seconds");
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < Collector::kBoundsMs.size(); ++i) {
        so_far += sum.by_latency[i];
        writer.sample("_bucket", {{"name", name}, {"le", bound_text(Collector::kBoundsMs[i])}},
                      so_far);
    }
    so_far += sum.by_latency.back();
    writer.sample("_bucket", {{"name", name}, {"le", "+Inf"}}, so_far);
    writer.sample("_count", {{"name", name}}, so_far);
    writer.sample("_sum", {{"name", name}}, seconds(sum.latency_ms));
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
        write_latency(writer, name, sum);
    }
}

}  // namespace steer

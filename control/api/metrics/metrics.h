// Metrics as text: families with type and help, samples with labels. OpenMetrics 1.0.0
// (openmetrics.io), or the text format 0.0.4 of Prometheus.
//
// Another source may begin a family again later: its samples stay together, as the format requires.
// Metric names begin with steerdns_, those of the process with process_. Built for each scrape, on
// the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/metric_table.h"

namespace steer::ops {

enum class MetricsFormat : std::uint8_t { prometheus, openmetrics };

// Selects by a request's `Accept` (RFC 9110 12.5.1). Without a preference for OpenMetrics, it is
// Prometheus's text.
MetricsFormat metrics_format(std::string_view accept);
// The value of `Content-Type`.
std::string_view content_type(MetricsFormat format);

class MetricWriter {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // Begins a family; samples until the next call belong to it. The names of a counter's samples
    // end in "_total", which is not repeated if `name` has it already.
    void family(KnownMetric metric) { family(metric.row()); }
    void family(const MetricRow& row) { begin(row.name, row.type, row.help); }
    // For the counter tables and for tests.
    void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
    void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }

    void histogram(std::string_view name, std::string_view help) { begin(name, "histogram", help); }

    void sample(Labels labels, std::uint64_t value);
    void sample(Labels labels, double value);
    // A sample of a histogram: `suffix` is "_bucket" (its labels end with le), "_count" or "_sum".
    void sample(std::string_view suffix, Labels labels, std::uint64_t value);
    void sample(std::string_view suffix, Labels labels, double value);

    // The samples of a histogram: `counts` by upper bound, and a last one for longer times.
    void durations(Labels labels, std::span<const std::string_view> bounds_s,
                   std::span<const std::uint64_t> counts, double sum_s);
    // With bounds in milliseconds.
    void latencies(Labels labels, std::span<const std::uint32_t> bounds_ms,
                   std::span<const std::uint64_t> counts, double sum_s);

    // The whole text; families without samples are left out.
    [[nodiscard]] std::string text(MetricsFormat format) const;

  private:
    struct Family {
        std::string name, type, help, samples;
    };
    void begin(std::string_view name, std::string_view type, std::string_view help);
    template <class BoundText>
    void add_histogram(Labels labels, std::size_t bounds, BoundText bound_text,
                       std::span<const std::uint64_t> counts, double sum_s);
    void add_sample(std::string_view suffix, Labels labels, std::string_view value,
                    std::string_view bound = {});

    std::vector<Family> families_;
    std::size_t current_ = 0;
};

// A source of metrics: workers' counters, routers, caches.
using MetricSource = std::function<void(MetricWriter&)>;
using MetricSources = std::vector<MetricSource>;

// The text of all sources together.
std::string metrics_text(const MetricSources& sources, MetricsFormat format);

}  // namespace steer::ops

#include "control/api/metrics/query_metrics.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace steer::ops {
namespace {

constexpr std::array<std::string_view, LatencyHistogram::kBoundsUs.size()> kBoundsSeconds{
    "1e-05", "3e-05", "0.0001", "0.0003", "0.001", "0.003", "0.01",
    "0.03",  "0.1",   "0.3",    "1.0",    "3.0",   "10.0"};

// By column; the names of RFC 6895.
constexpr std::array<std::string_view, dns::kNoReplyColumn> kRcodeLabels{
    "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
    "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI",
    "12",       "13",      "14",       "15",       "BADVERS", "BADCOOKIE"};
// Further ones are written when they occur.
constexpr std::size_t kUsualRcodes = 6;

std::uint64_t of_type(const QueryCounters& counters, std::size_t type) {
    std::uint64_t sum = 0;
    for (std::size_t column = 0; column < dns::kRcodeColumns; ++column)
        sum += counters.count(type, column);
    return sum;
}

std::uint64_t of_rcode(const QueryCounters& counters, std::size_t column) {
    std::uint64_t sum = 0;
    for (std::size_t type = 0; type < dns::kCountedTypeLabels.size(); ++type)
        sum += counters.count(type, column);
    return sum;
}

void write_latency(MetricWriter& writer, std::string_view worker, std::string_view path,
                   const LatencyHistogram& histogram) {
    std::array<std::uint64_t, kBoundsSeconds.size() + 1> counts{};
    std::ranges::transform(histogram.buckets, counts.begin(),
                           [](const auto& bucket) { return bucket.get(); });
    writer.durations({{"worker", worker}, {"path", path}}, kBoundsSeconds, counts,
                     static_cast<double>(histogram.sum_us.get()) / 1e6);
}

// Zeros are left out.
boost::json::object to_json(const LatencyHistogram& histogram) {
    boost::json::object out;
    std::uint64_t answers = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        const std::uint64_t n = histogram.buckets[i].get();
        answers += n;
        if (n == 0) continue;
        out[i < LatencyHistogram::kBoundsUs.size()
                ? "to_" + std::to_string(LatencyHistogram::kBoundsUs[i])
                : std::string("more")] = n;
    }
    out["answers"] = answers;
    out["sum"] = histogram.sum_us.get();
    return out;
}

}  // namespace

void write_query_counters(MetricWriter& writer, unsigned worker, const QueryCounters& counters,
                          double cycles_per_second) {
    const std::string index = std::to_string(worker);
    writer.family("steerdns_queries");
    for (std::size_t i = 0; i < kClientTransports.size(); ++i) {
        writer.sample({{"worker", index}, {"transport", kClientTransports[i].label}},
                      counters.transports[i].get());
    }
    writer.family("steerdns_query_types");
    for (std::size_t i = 0; i < dns::kCountedTypeLabels.size(); ++i) {
        writer.sample({{"worker", index}, {"type", dns::kCountedTypeLabels[i]}},
                      of_type(counters, i));
    }
    writer.family("steerdns_answer_rcodes");
    for (std::size_t i = 0; i < kRcodeLabels.size(); ++i) {
        const std::uint64_t n = of_rcode(counters, i);
        if (n > 0 || i < kUsualRcodes)
            writer.sample({{"worker", index}, {"rcode", kRcodeLabels[i]}}, n);
    }
    writer.family("steerdns_answer_seconds");
    for (const auto& path : kLatencyPaths) {
        write_latency(writer, index, path.label,
                      counters.latency[static_cast<std::size_t>(path.which)]);
    }
    writer.family("steerdns_worker_busy_seconds");
    writer.sample({{"worker", index}},
                  static_cast<double>(counters.busy_cycles.get()) / cycles_per_second);
}

void add_query_counters(boost::json::object& worker, const QueryCounters& counters,
                        double cycles_per_second) {
    boost::json::object transports, types, rcodes;
    for (std::size_t i = 0; i < kClientTransports.size(); ++i)
        transports[kClientTransports[i].label] = counters.transports[i].get();
    for (std::size_t i = 0; i < dns::kCountedTypeLabels.size(); ++i) {
        if (const std::uint64_t n = of_type(counters, i); n > 0)
            types[dns::kCountedTypeLabels[i]] = n;
    }
    for (std::size_t i = 0; i < kRcodeLabels.size(); ++i) {
        if (const std::uint64_t n = of_rcode(counters, i); n > 0) rcodes[kRcodeLabels[i]] = n;
    }
    worker["queries_by_transport"] = std::move(transports);
    worker["queries_by_type"] = std::move(types);
    worker["answers_by_rcode"] = std::move(rcodes);
    for (const auto& path : kLatencyPaths) {
        worker["answer_us_" + std::string(path.label)] =
            to_json(counters.latency[static_cast<std::size_t>(path.which)]);
    }
    const double busy_us =
        static_cast<double>(counters.busy_cycles.get()) / cycles_per_second * 1e6;
    worker["time_us"] = boost::json::object{{"busy", static_cast<std::uint64_t>(busy_us)}};
}

}  // namespace steer::ops

// Reports about things of one kind (routers, sets, sinks). A row describes each fact once. The fact
// is in the JSON of the control socket, in a metric, or in both. The reference has the metric's
// text from metric_table.h.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "control/api/metrics/metrics.h"

namespace steer::ops {

// The facts that the JSON leaves out: none; null ones (unknown now); or null ones and those that
// are 0. A metric includes zeros.
enum class LeftOut : std::uint8_t { nothing, null, null_and_zero };

// A row of metric_table.h by its name, checked at compile time; {}: no metric.
struct MetricOrNone {
    consteval MetricOrNone() = default;
    consteval MetricOrNone(const char* name) : row(&KnownMetric(name).row()) {}
    const MetricRow* row = nullptr;
};

template <class T>
struct ReportRow {
    std::string_view key;  // the member of the JSON; empty: none
    MetricOrNone metric;
    // A number, a truth value (1 or 0 in a metric), a text (without a metric), or null: unknown
    // now.
    boost::json::value (*value)(const T& thing);
    double unit = 1;  // factor for the metric: 1e-3 if the JSON has ms and the metric seconds
    LeftOut left_out = LeftOut::nothing;

    [[nodiscard]] bool is_left_out(const boost::json::value& fact) const {
        if (fact.is_null()) return left_out != LeftOut::nothing;
        return left_out == LeftOut::null_and_zero && fact.to_number<double>() == 0;
    }
};

template <class T, class Rows>
void add_members(boost::json::object& all, const Rows& rows, const T& thing) {
    for (const ReportRow<T>& row : rows) {
        if (row.key.empty()) continue;
        boost::json::value value = row.value(thing);
        if (!row.is_left_out(value)) all[row.key] = std::move(value);
    }
}

// `sample(writer, thing, number)` writes one sample with the labels of the thing.
template <class T, class Rows, class Things, class Sample>
void write_gauges(MetricWriter& writer, const Rows& rows, const Things& things, Sample sample) {
    for (const ReportRow<T>& row : rows) {
        if (row.metric.row == nullptr) continue;
        writer.family(*row.metric.row);
        for (const T& thing : things) {
            const boost::json::value value = row.value(thing);
            if (value.is_null()) continue;
            if (value.is_bool()) {
                sample(writer, thing, std::uint64_t{value.get_bool() ? 1U : 0U});
            } else if (value.is_double() || row.unit != 1) {
                sample(writer, thing, value.to_number<double>() * row.unit);
            } else {
                sample(writer, thing, value.to_number<std::uint64_t>());
            }
        }
    }
}

// ---- counters (matchers/counter_table.h); `counts`: a struct that the table points into, or an
// object with get(which)

template <class Counts, class Which>
std::uint64_t count_of(const Counts& counts, Which which) {
    if constexpr (std::is_member_object_pointer_v<Which>) {
        return counts.*which;
    } else {
        return counts.get(which);
    }
}

template <class Table, class Counts>
void add_counts(boost::json::object& all, const Table& table, const Counts& counts) {
    for (const auto& counter : table)
        all[counter.label] = count_of(counts, counter.which);
}

// `counts_of(thing)`: the thing's counts.
template <class Table, class Things, class CountsOf, class Sample>
void write_counts(MetricWriter& writer, std::string_view prefix, const Table& table,
                  const Things& things, CountsOf counts_of, Sample sample) {
    for (const auto& counter : table) {
        writer.counter(std::string(prefix).append(counter.label), counter.text);
        for (const auto& thing : things)
            sample(writer, thing, count_of(counts_of(thing), counter.which));
    }
}

}  // namespace steer::ops

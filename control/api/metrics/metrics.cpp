#include "control/api/metrics/metrics.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "matchers/safe_text.h"

namespace steer::ops {
namespace {

// OpenMetrics knows three escapes; other control characters go as text (matchers/safe_text.h).
void append_escaped(std::string& out, std::string_view text) {
    for (std::size_t line_end = 0; line_end != std::string_view::npos;) {
        line_end = text.find('\n');
        for (const char c : safe_text(text.substr(0, line_end), kSafeLineBytes)) {
            if (c == '\\' || c == '"') out += '\\';
            out += c;
        }
        if (line_end == std::string_view::npos) return;
        out += "\\n";
        text.remove_prefix(line_end + 1);
    }
}

// Prometheus's text knows no escaped quote in help.
std::string help_text(std::string_view help, MetricsFormat format) {
    std::string out;
    for (const char c : help) {
        if (c == '\\' || (c == '"' && format == MetricsFormat::openmetrics)) out += '\\';
        out += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
    }
    return out;
}

// "0.005", "1.0".
std::string bound_text(std::uint32_t ms) {
    std::string text = std::to_string(ms / 1000);
    const std::string part = std::to_string(1000 + ms % 1000).substr(1);
    const auto last = part.find_last_not_of('0');
    return last == std::string::npos ? text + ".0" : text + "." + part.substr(0, last + 1);
}

template <class Number>
std::string number_text(Number value) {
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), end};
}

}  // namespace

void MetricWriter::begin(std::string_view name, std::string_view type, std::string_view help) {
    constexpr std::string_view kTotal =
        "_total";  // its samples get it, the family must not have it
    if (type == "counter" && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
    for (current_ = 0; current_ < families_.size(); ++current_) {
        if (families_[current_].name == name) return;
    }
    families_.push_back({std::string(name), std::string(type), std::string(help), {}});
}

void MetricWriter::sample(Labels labels, std::uint64_t value) {
    sample({}, labels, value);
}

void MetricWriter::sample(Labels labels, double value) {
    sample({}, labels, value);
}

void MetricWriter::sample(std::string_view suffix, Labels labels, std::uint64_t value) {
    add_sample(suffix, labels, number_text(value));
}

void MetricWriter::sample(std::string_view suffix, Labels labels, double value) {
    if (std::isnan(value)) return add_sample(suffix, labels, "NaN");
    if (std::isinf(value)) return add_sample(suffix, labels, value > 0 ? "+Inf" : "-Inf");
    add_sample(suffix, labels, number_text(value));
}

template <class BoundText>
void MetricWriter::add_histogram(Labels labels, std::size_t bounds, BoundText bound_text,
                                 std::span<const std::uint64_t> counts, double sum_s) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        so_far += counts[i];
        if (i < bounds) {
            add_sample("_bucket", labels, number_text(so_far), bound_text(i));
        } else {
            add_sample("_bucket", labels, number_text(so_far), "+Inf");
        }
    }
    sample("_count", labels, so_far);
    sample("_sum", labels, sum_s);
}

void MetricWriter::durations(Labels labels, std::span<const std::string_view> bounds_s,
                             std::span<const std::uint64_t> counts, double sum_s) {
    const auto text = [bounds_s](std::size_t i) { return bounds_s[i]; };
    add_histogram(labels, bounds_s.size(), text, counts, sum_s);
}

void MetricWriter::latencies(Labels labels, std::span<const std::uint32_t> bounds_ms,
                             std::span<const std::uint64_t> counts, double sum_s) {
    const auto text = [bounds_ms](std::size_t i) { return bound_text(bounds_ms[i]); };
    add_histogram(labels, bounds_ms.size(), text, counts, sum_s);
}

void MetricWriter::add_sample(std::string_view suffix, Labels labels, std::string_view value,
                              std::string_view bound) {
    if (current_ >= families_.size()) {
        std::fprintf(stderr, "metrics: a sample before its family\n");
        std::abort();
    }
    Family& family = families_[current_];
    std::string& out = family.samples;
    out += family.name;
    out += family.type == "counter" ? "_total" : suffix;
    char before = '{';
    for (const auto& [name, text] : labels) {
        out += before;
        out += name;
        out += "=\"";
        append_escaped(out, text);
        out += '"';
        before = ',';
    }
    if (!bound.empty()) {
        out += before;
        out.append("le=\"").append(bound) += '"';
        before = ',';
    }
    if (before == ',') out += '}';
    out += ' ';
    out += value;
    out += '\n';
}

std::string MetricWriter::text(MetricsFormat format) const {
    const bool is_open = format == MetricsFormat::openmetrics;
    std::string out;
    for (const Family& family : families_) {
        if (family.samples.empty()) continue;
        // Of a counter, OpenMetrics names the family, and Prometheus its samples.
        const std::string name =
            family.name + (!is_open && family.type == "counter" ? "_total" : "");
        out.append("# HELP ").append(name).append(" ").append(help_text(family.help, format));
        out.append("\n# TYPE ").append(name).append(" ").append(family.type).append("\n");
        out.append(family.samples);
    }
    if (is_open) out.append("# EOF\n");
    return out;
}

std::string metrics_text(const MetricSources& sources, MetricsFormat format) {
    MetricWriter writer;
    for (const MetricSource& source : sources)
        source(writer);
    return writer.text(format);
}

}  // namespace steer::ops

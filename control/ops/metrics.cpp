#include "control/ops/metrics.h"

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

void MetricWriter::add_sample(std::string_view suffix, Labels labels, std::string_view value) {
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
    if (labels.size() > 0) out += '}';
    out += ' ';
    out += value;
    out += '\n';
}

std::string MetricWriter::text() const {
    std::string out;
    for (const Family& family : families_) {
        if (family.samples.empty()) continue;
        out += "# TYPE " + family.name + " " + family.type + "\n# HELP " + family.name + " ";
        append_escaped(out, family.help);
        out += "\n" + family.samples;
    }
    return out + "# EOF\n";
}

std::string openmetrics_text(const MetricSources& sources) {
    MetricWriter writer;
    for (const MetricSource& source : sources)
        source(writer);
    return writer.text();
}

}  // namespace steer::ops

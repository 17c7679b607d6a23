#include <algorithm>
#include <charconv>
#include <string>

#include "control/api/metrics/metrics.h"
#include "matchers/text.h"

namespace steer::ops {
namespace {

constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// The text before the next `mark`, which is removed from `rest` with it.
std::string_view take(std::string_view& rest, char mark) {
    const auto end = std::min(rest.find(mark), rest.size());
    const std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

// 0 to 1000; what is no number counts as 0.
unsigned quality(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return 0;
    return static_cast<unsigned>(std::clamp(value, 0.0, 1.0) * 1000);
}

struct Range {
    std::string type, version;
    unsigned quality = 1000;
};

Range range_of(std::string_view text) {
    Range range{matchers::lowered(take(text, ';')), {}};
    while (!text.empty()) {
        std::string_view value = take(text, ';');
        const std::string name = matchers::lowered(take(value, '='));
        value = trimmed(value);
        if (value.size() > 1 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        if (name == "q") range.quality = quality(value);
        if (name == "version") range.version = value;
    }
    return range;
}

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
    unsigned open = 0, text = 0;
    while (!accept.empty()) {
        const Range range = range_of(take(accept, ','));
        const bool is_current = range.version.empty() || range.version == "1.0.0";
        if (range.type == "application/openmetrics-text" && is_current)
            open = std::max(open, range.quality);
        if (range.type == "text/plain" || range.type == "text/*" || range.type == "*/*")
            text = std::max(text, range.quality);
    }
    return open > 0 && open >= text ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

std::string_view content_type(MetricsFormat format) {
    return format == MetricsFormat::openmetrics ? kOpenMetricsType : kPrometheusType;
}

}  // namespace steer::ops

#include "matchers/list/list_lines.h"

#include <algorithm>
#include <span>
#include <utility>

#include "matchers/name_text.h"

namespace steer::matchers {
namespace {

std::span<const std::uint8_t> wire_bytes(std::string_view wire) {
    return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

// The last labels of a name.
std::string_view last_labels(std::string_view name, unsigned labels) {
    std::size_t at = name.size();
    for (; labels > 0 && at > 0; --labels) {
        const auto dot = name.rfind('.', at - 1);
        if (dot == std::string_view::npos) return name;
        at = dot;
    }
    return name.substr(at + 1);
}

}  // namespace

std::optional<ListLines::Line> ListLines::find(std::string_view name) const {
    std::string wire = wire_of_name(name);
    if (wire.empty()) return std::nullopt;
    wire += '\0';
    NameMatcher::Scratch no_patterns;
    std::uint32_t at = names_.find(wire_bytes(wire), no_patterns);
    if (at == NameValues::kNone) {
        const auto first = static_cast<std::uint8_t>(wire.front());
        at = below_.find(wire_bytes(std::string_view(wire).substr(first + 1U)), no_patterns);
    }
    if (at == NameValues::kNone) return std::nullopt;
    return line_of(places_[at], name);
}

ListLines::Line ListLines::line_of(const Place& place, std::string_view name) const {
    const std::string_view text = place.is_full ? name : last_labels(name, place.labels);
    const std::string_view kind =
        is_zone_ ? (place.is_full ? "" : "*.") : (place.is_full ? "full:" : "domain:");
    return {static_cast<int>(place.line), std::string(kind).append(text)};
}

void ListLinesBuilder::add(const Rule& rule, int line) {
    const bool is_full = rule.kind == RuleKind::full;
    if (!is_full && rule.kind != RuleKind::domain) return;
    const auto labels = static_cast<std::uint8_t>(1 + std::ranges::count(rule.text, '.'));
    const auto place = static_cast<std::uint32_t>(out_.places_.size());
    out_.places_.push_back({static_cast<std::uint32_t>(line), labels, is_full});
    (is_full || !out_.is_zone_ ? names_ : below_).add(rule, place);
}

ListLines ListLinesBuilder::build() && {
    std::vector<Error> none;  // only regular expressions have errors
    out_.names_ = names_.build(none);
    out_.below_ = below_.build(none);
    out_.places_.shrink_to_fit();
    return std::move(out_);
}

}  // namespace steer::matchers

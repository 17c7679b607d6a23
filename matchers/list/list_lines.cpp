#include "matchers/list/list_lines.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "matchers/domain/levels.h"
#include "matchers/name_text.h"

namespace steer::matchers {
namespace {

std::span<const std::uint8_t> wire_bytes(std::string_view wire) {
    return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

std::array<std::uint32_t, 2> halves(std::uint64_t hash) {
    return {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(hash)};
}

// In presentation form each dot is between labels: others are written as \046.
std::string_view last_labels(std::string_view name, std::size_t labels) {
    std::size_t at = name.size();
    for (; labels > 0; --labels) {
        const std::size_t dot = at == 0 ? std::string_view::npos : name.rfind('.', at - 1);
        if (dot == std::string_view::npos) return name;
        at = dot;
    }
    return name.substr(at + 1);
}

// 0: there is none.
int line_of(std::span<const std::array<std::uint32_t, 3>> entries, std::uint64_t hash) {
    const auto [high, low] = halves(hash);
    const std::array<std::uint32_t, 3> first{high, low, 0};
    const auto at = std::lower_bound(entries.begin(), entries.end(), first);
    if (at == entries.end() || (*at)[0] != high || (*at)[1] != low) return 0;
    return static_cast<int>((*at)[2]);
}

// Of equal names the last line is kept.
void make_searchable(std::vector<std::array<std::uint32_t, 3>>& entries) {
    std::sort(entries.begin(), entries.end(), std::greater<>());
    const auto end = std::unique(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a[0] == b[0] && a[1] == b[1];
    });
    entries.erase(end, entries.end());
    std::reverse(entries.begin(), entries.end());
    entries.shrink_to_fit();
}

}  // namespace

std::optional<ListLines::Line> ListLines::find(std::string_view name) const {
    const std::string wire = wire_of_name(name);
    if (wire.empty()) return std::nullopt;
    const NameLevels levels(hash_, wire_bytes(wire));
    if (const int line = line_of(full_, levels.hash_of[levels.depth]))
        return Line{line, std::string(is_zone_ ? "" : "full:").append(name)};
    const std::size_t last = std::min(levels.depth - (is_zone_ ? 1 : 0), most_labels_);
    for (std::size_t level = last; level > 0; --level) {
        if (const int line = line_of(domain_, levels.hash_of[level]))
            return Line{line,
                        std::string(is_zone_ ? "*." : "domain:").append(last_labels(name, level))};
    }
    return std::nullopt;
}

ListLinesBuilder::ListLinesBuilder(bool is_zone) {
    out_.hash_ = new_label_hash();
    out_.is_zone_ = is_zone;
}

void ListLinesBuilder::add(const Rule& rule, int line) {
    const bool is_full = rule.kind == RuleKind::full;
    if (line <= 0 || (!is_full && rule.kind != RuleKind::domain)) return;
    const std::string wire = wire_of_name(rule.text);
    if (wire.empty()) return;
    const NameLevels levels(out_.hash_, wire_bytes(wire));
    const auto [high, low] = halves(levels.hash_of[levels.depth]);
    if (!is_full) out_.most_labels_ = std::max(out_.most_labels_, levels.depth);
    (is_full ? out_.full_ : out_.domain_).push_back({high, low, static_cast<std::uint32_t>(line)});
}

std::shared_ptr<const ListLines> ListLinesBuilder::build() && {
    if (out_.full_.empty() && out_.domain_.empty()) return nullptr;
    make_searchable(out_.full_);
    make_searchable(out_.domain_);
    return std::make_shared<const ListLines>(std::move(out_));
}

}  // namespace steer::matchers

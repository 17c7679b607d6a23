#include "matchers/prefix/prefix_values.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "matchers/prefix/address_steps.h"

namespace steer::matchers {

PrefixValues::PrefixValues(std::vector<Rule> rules) {
    const auto v6 = std::stable_partition(rules.begin(), rules.end(),
                                          [](const Rule& rule) { return rule.is_v4; });
    std::vector<Rule> others(std::make_move_iterator(v6), std::make_move_iterator(rules.end()));
    rules.erase(v6, rules.end());
    v4_ = ranges_of(std::move(rules));
    v6_ = ranges_of(std::move(others));
}

// Prefixes nest or are disjoint: in order of address and length, the prefixes around one are on the stack when it begins.
std::vector<PrefixValues::Range> PrefixValues::ranges_of(std::vector<Rule> rules) {
    std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
        if (a.prefix.address != b.prefix.address) return a.prefix.address < b.prefix.address;
        return a.prefix.length < b.prefix.length;
    });
    std::vector<Range> out;
    std::vector<const Rule*> around;
    const auto put = [&out](const IpAddress& first, Found found) {
        if (!out.empty() && out.back().first == first) {
            out.back().found = found;
        } else {
            out.push_back({first, found});
        }
    };
    const auto last_of = [](const Rule& rule) {
        return filled(rule.prefix.address, rule.prefix.length, true);
    };
    const auto found_of = [](const Rule& rule) { return Found{rule.value, rule.prefix.length}; };
    const auto close = [&] {
        const IpAddress last = last_of(*around.back());
        around.pop_back();
        const IpAddress behind = next(last);
        if (behind < last) return;  // it was the last address of all
        put(behind, around.empty() ? Found{} : found_of(*around.back()));
    };
    for (const Rule& rule : rules) {
        while (!around.empty() && last_of(*around.back()) < rule.prefix.address)
            close();
        if (!around.empty() && around.back()->prefix.address == rule.prefix.address &&
            around.back()->prefix.length == rule.prefix.length)
            continue;
        put(rule.prefix.address, found_of(rule));
        around.push_back(&rule);
    }
    while (!around.empty())
        close();
    return out;
}

PrefixValues::Found PrefixValues::find(const IpAddress& address) const noexcept {
    const std::vector<Range>& ranges = address.is_v4() ? v4_ : v6_;
    const auto behind =
        std::upper_bound(ranges.begin(), ranges.end(), address,
                         [](const IpAddress& a, const Range& range) { return a < range.first; });
    return behind == ranges.begin() ? Found{} : std::prev(behind)->found;
}

}  // namespace steer::matchers

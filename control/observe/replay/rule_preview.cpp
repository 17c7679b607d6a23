#include "control/observe/replay/rule_preview.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "dataplane/dns/name.h"

namespace steer::replay {
namespace {

// Of a query that ended before the rules were searched.
constexpr std::array<std::string_view, 2> kBeforeRules{"refused", "error"};

void count(boost::unordered_flat_map<std::string, std::int64_t>& counts, std::string_view key,
           std::int64_t queries) {
    const auto at = counts.find(std::string(key));
    if (at != counts.end()) {
        at->second += queries;
    } else if (counts.size() < RulePreview::kMostKept) {
        counts.emplace(key, queries);
    }
}

}  // namespace

bool RulePreview::is_legal(const recorder::SeenQuery& query) const {
    return std::ranges::any_of(rule_.legal, [&](const auto& one) {
        return one.first == query.plugin && one.second == query.list;
    });
}

bool RulePreview::changes(const recorder::SeenQuery& query) const {
    const bool was_blocked = query.decision == recorder::kBlocked;
    if (was_blocked != rule_.allows) return false;
    if (std::ranges::find(kBeforeRules, query.decision) != kBeforeRules.end()) return false;
    const auto name = dns::name_from_text(query.name);
    const auto client = IpAddress::parse(query.client);
    if (!name || !client) return false;
    NameRules::Question question{.name = *name,
                                 .client = *client,
                                 .lease = rule_.devices->find(*client),
                                 .frame_mac = 0,
                                 .now_s = rule_.now_s};
    if (was_blocked && !query.list.empty()) {
        question.plugin = list_id(query.plugin, {});
        question.list = list_id(query.plugin, query.list);
        question.is_legal = is_legal(query);
    }
    const NameRule* const deciding = rule_.rules->find(question);
    return deciding != nullptr && deciding->number == rule_.number;
}

void RulePreview::add(const recorder::SeenQuery& query) {
    queries_ += query.stands_for;
    if (!changes(query)) return;
    changed_ += query.stands_for;
    count(names_, query.name, query.stands_for);
    count(clients_, query.client, query.stands_for);
}

boost::json::object RulePreview::to_json() const {
    std::vector<std::pair<std::string_view, std::int64_t>> sorted(names_.begin(), names_.end());
    const std::size_t shown = std::min(sorted.size(), kMostShown);
    std::ranges::partial_sort(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(shown),
                              [](const auto& a, const auto& b) {
                                  return a.second != b.second ? a.second > b.second
                                                              : a.first < b.first;
                              });
    boost::json::array names;
    for (std::size_t i = 0; i < shown; ++i)
        names.push_back(
            boost::json::object{{"name", sorted[i].first}, {"queries", sorted[i].second}});
    return {{"queries", queries_},
            {rule_.allows ? "would_allow" : "would_block", changed_},
            {"clients", clients_.size()},
            {"names", std::move(names)}};
}

}  // namespace steer::replay

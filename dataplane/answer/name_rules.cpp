#include "dataplane/answer/name_rules.h"

#include <algorithm>
#include <tuple>

namespace steer {
namespace {

std::string_view text_of(std::span<const std::uint8_t> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Calls visit(suffix, is_whole) for a name and each name above it, up to the root; until it returns
// true.
template <class Visit>
bool any_suffix(std::span<const std::uint8_t> name, Visit&& visit) noexcept {
    for (std::size_t at = 0; at < name.size(); at += 1U + name[at]) {
        if (visit(text_of(name.subspan(at)), at == 0)) return true;
        if (name[at] == 0) break;
    }
    return false;
}

}  // namespace

std::uint64_t list_id(std::string_view tag, std::string_view list) noexcept {
    constexpr std::uint64_t kFold = 0x9e3779b97f4a7c15;
    const std::hash<std::string_view> hash;
    return (hash(tag) * kFold ^ hash(list)) | 1U;
}

bool NameRule::is_for(const IpAddress& client, const LeaseDevice* lease,
                      std::uint64_t frame_mac) const noexcept {
    if (audience == Audience::everyone) return true;
    if (mac == 0)
        return matchers::Prefix::masked(client, clients.length).address == clients.address;
    // The frame's address may be a router's.
    return lease != nullptr && lease->mac != 0 ? lease->mac == mac : frame_mac == mac;
}

NameRules::NameRules(std::vector<Named> rules, std::uint64_t version) : version_(version) {
    std::ranges::stable_sort(rules, {}, &Named::name);
    for (const Named& named : rules) {
        const auto [at, is_first] = ranges_.try_emplace(named.name);
        Range& range = at->second;
        if (is_first) range.first = static_cast<std::uint32_t>(rules_.size());
        ++range.count;
        rules_.push_back(named.rule);
        if (named.rule.allows) continue;
        has_blocks_ = true;
        (named.rule.is_exact ? range.blocks_exactly : range.blocks_below) = true;
    }
}

bool NameRules::may_block(std::span<const std::uint8_t> name) const noexcept {
    if (!has_blocks_) return false;
    return any_suffix(name, [this](std::string_view suffix, bool is_whole) {
        const auto found = ranges_.find(suffix);
        return found != ranges_.end() &&
               (found->second.blocks_below || (is_whole && found->second.blocks_exactly));
    });
}

const NameRule* NameRules::find(const Question& q) const noexcept {
    const NameRule* best = nullptr;
    std::size_t best_length = 0;
    const auto rank = [](const NameRule& rule, std::size_t length) {
        // A device is one address or one MAC; a longer prefix is a narrower audience.
        const unsigned width =
            rule.audience == NameRule::Audience::prefix ? rule.clients.length : 0;
        return std::tuple(rule.audience, width, length, rule.is_exact, rule.allows);
    };
    any_suffix(q.name, [&](std::string_view suffix, bool is_whole) {
        const auto found = ranges_.find(suffix);
        if (found == ranges_.end()) return false;
        const Range& range = found->second;
        for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
            const NameRule& rule = rules_[i];
            const bool is_of_list =
                rule.list == 0 || rule.list == q.plugin || (q.list != 0 && rule.list == q.list);
            if (!is_of_list || (q.is_legal && !rule.suspends) || q.now_s >= rule.until_s ||
                (rule.is_exact && !is_whole) || !rule.is_for(q.client, q.lease, q.frame_mac))
                continue;
            if (best == nullptr || rank(rule, suffix.size()) > rank(*best, best_length)) {
                best = &rule;
                best_length = suffix.size();
            }
        }
        return false;
    });
    return best;
}

}  // namespace steer

#include "dataplane/answer/name_rules.h"

#include <algorithm>
#include <tuple>
#include <utility>

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
    if (audience == Audience::group) return group->has(client, lease, frame_mac);
    if (mac == 0)
        return matchers::Prefix::masked(client, clients.length).address == clients.address;
    return mac_of_client(lease, frame_mac) == mac;
}

bool NameRules::ClientKey::operator<(const ClientKey& other) const {
    return std::tie(name, length, high, low) <
           std::tie(other.name, other.length, other.high, other.low);
}

std::size_t NameRules::KeyHash::operator()(const ClientKey& key) const noexcept {
    constexpr std::uint64_t kFold = 0x9e3779b97f4a7c15;
    const auto mix = [](std::uint64_t bits) {
        bits *= kFold;
        return bits ^ bits >> 32;
    };
    return mix(mix(key.high ^ (std::uint64_t{key.name} << 32 | key.length)) ^ key.low);
}

NameRules::ClientKey NameRules::key_of(const NameRule& rule, std::uint32_t name) {
    using enum NameRule::Audience;
    if (rule.audience == everyone || rule.audience == group)
        return {name, ClientKey::kShared, 0, 0};
    if (rule.mac != 0) return {name, ClientKey::kMac, 0, rule.mac};
    return {name, rule.clients.length, rule.clients.address.high(), rule.clients.address.low()};
}

NameRules::NameRules(const std::vector<Named>& rules, std::uint64_t version) : version_(version) {
    std::vector<std::pair<ClientKey, const Named*>> in_order;
    in_order.reserve(rules.size());
    for (const Named& named : rules) {
        const auto next = static_cast<std::uint32_t>(names_.size());
        OfName& of = names_.try_emplace(named.name, OfName{.number = next}).first->second;
        const ClientKey key = key_of(named.rule, of.number);
        if (key.length < of.lengths.size()) of.lengths.set(key.length);
        of.has_macs = of.has_macs || key.length == ClientKey::kMac;
        if (!named.rule.allows) {
            has_blocks_ = true;
            (named.rule.is_exact ? of.blocks_exactly : of.blocks_below) = true;
        }
        in_order.emplace_back(key, &named);
    }
    std::ranges::stable_sort(in_order,
                             [](const auto& a, const auto& b) { return a.first < b.first; });
    rules_.reserve(rules.size());
    for (const auto& [key, named] : in_order) {
        Range& range = key.length == ClientKey::kShared ? names_.find(named->name)->second.shared
                                                        : of_clients_[key];
        if (range.count++ == 0) range.first = static_cast<std::uint32_t>(rules_.size());
        rules_.push_back(named->rule);
    }
}

bool NameRules::may_block(std::span<const std::uint8_t> name) const noexcept {
    if (!has_blocks_) return false;
    return any_suffix(name, [this](std::string_view suffix, bool is_whole) {
        const auto found = names_.find(suffix);
        return found != names_.end() &&
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
    const auto consider = [&](const Range& range, std::size_t length, bool is_whole) {
        for (const NameRule& rule : std::span(rules_).subspan(range.first, range.count)) {
            const bool is_of_list =
                rule.list == 0 || rule.list == q.plugin || (q.list != 0 && rule.list == q.list);
            if (!is_of_list || (q.is_legal && !rule.suspends) || q.now_s >= rule.until_s ||
                (rule.is_exact && !is_whole) || !rule.is_for(q.client, q.lease, q.frame_mac))
                continue;
            if (best == nullptr || rank(rule, length) > rank(*best, best_length)) {
                best = &rule;
                best_length = length;
            }
        }
    };
    any_suffix(q.name, [&](std::string_view suffix, bool is_whole) {
        const auto found = names_.find(suffix);
        if (found == names_.end()) return false;
        const OfName& of = found->second;
        const auto consider_client = [&](const ClientKey& key) {
            if (const auto at = of_clients_.find(key); at != of_clients_.end())
                consider(at->second, suffix.size(), is_whole);
        };
        consider(of.shared, suffix.size(), is_whole);
        for (std::size_t n = of.lengths._Find_first(); n < of.lengths.size();
             n = of.lengths._Find_next(n)) {
            const auto length = static_cast<unsigned>(n);
            const IpAddress masked = matchers::Prefix::masked(q.client, length).address;
            consider_client({of.number, length, masked.high(), masked.low()});
        }
        if (of.has_macs)
            consider_client({of.number, ClientKey::kMac, 0, mac_of_client(q.lease, q.frame_mac)});
        return false;
    });
    return best;
}

}  // namespace steer

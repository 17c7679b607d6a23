#include "dataplane/answer/policy_zone.h"

#include <algorithm>

#include "dataplane/dns/wire.h"

namespace steer {

AnswerRef answer_for(const PolicyAction& action, std::span<const AnswerTable::Typed> typed,
                     std::uint16_t qtype) noexcept {
    const auto own = typed.subspan(action.typed.first, action.typed.count);
    if (own.empty()) return kNoAnswer;
    if (qtype == dns::kAny) return own.front().answer;  // RFC 8482
    for (const AnswerTable::Typed& one : own) {
        if (one.qtype == qtype) return one.answer;
    }
    return kNoAnswer;
}

std::optional<std::uint16_t> LiveTargets::number_of(std::span<const std::uint8_t> name,
                                                    bool is_below, std::uint32_t ttl_s) {
    std::string key(name.begin(), name.end());
    key += std::to_string(ttl_s) + (is_below ? "*" : "");
    const std::lock_guard lock(mutex_);
    if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
    if (numbers_.size() == kMost || name.size() > std::tuple_size_v<decltype(Target::name)>)
        return std::nullopt;
    const auto number = static_cast<std::uint16_t>(numbers_.size());
    Target& target = targets_[number];
    std::ranges::copy(name, target.name.begin());
    target.length = static_cast<std::uint8_t>(name.size());
    target.is_below = is_below;
    target.ttl_s = ttl_s;
    numbers_.emplace(std::move(key), number);
    return number;
}

}  // namespace steer

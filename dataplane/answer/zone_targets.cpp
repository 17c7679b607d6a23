#include "dataplane/answer/zone_targets.h"

#include <chrono>

namespace steer {
namespace {

std::uint64_t monotonic_s() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace

LiveTargets::LiveTargets(std::function<std::uint64_t()> now_s)
    : now_s_(now_s ? std::move(now_s) : monotonic_s) {}

std::optional<std::uint16_t> LiveTargets::take(std::uint64_t now_s) {
    const std::lock_guard lock(mutex_);
    if (!resting_.empty() && resting_.front().first <= now_s) {
        const std::uint16_t number = resting_.front().second;
        resting_.pop_front();
        return number;
    }
    if (fresh_ == kMost) return std::nullopt;
    return static_cast<std::uint16_t>(fresh_++);
}

void LiveTargets::give_back(std::uint16_t number, std::uint64_t rests_until_s) {
    const std::lock_guard lock(mutex_);
    resting_.emplace_back(rests_until_s, number);
}

std::optional<std::uint16_t> ZoneTargets::use(std::span<const std::uint8_t> name, bool is_below,
                                              std::uint32_t ttl_s) {
    if (name.size() > std::tuple_size_v<decltype(LiveTargets::Target::name)>) return std::nullopt;
    std::string key(name.begin(), name.end());
    key += std::to_string(ttl_s) + (is_below ? "*" : "");
    const std::lock_guard lock(mutex_);
    if (const auto known = by_name_.find(key); known != by_name_.end()) {
        ++known->second.uses;
        return known->second.number;
    }
    const std::uint64_t now_s = all_->now_s();
    while (!rests_until_s_.empty() && rests_until_s_.front() <= now_s)
        rests_until_s_.pop_front();
    if (by_name_.size() + rests_until_s_.size() >= share()) return std::nullopt;
    const auto number = all_->take(now_s);
    if (!number) return std::nullopt;
    LiveTargets::Target& target = all_->targets_[*number];
    std::ranges::copy(name, target.name.begin());
    target.length = static_cast<std::uint8_t>(name.size());
    target.is_below = is_below;
    target.ttl_s = ttl_s;
    by_number_.emplace(*number, by_name_.emplace(std::move(key), Known{*number, 1}).first);
    return number;
}

void ZoneTargets::use_again(std::uint16_t number) {
    const std::lock_guard lock(mutex_);
    ++by_number_.at(number)->second.uses;
}

void ZoneTargets::release(std::uint16_t number) {
    const std::lock_guard lock(mutex_);
    const auto at = by_number_.find(number);
    if (--at->second->second.uses > 0) return;
    by_name_.erase(at->second);
    by_number_.erase(at);
    rests_until_s_.push_back(all_->now_s() + LiveTargets::kRestS);
    all_->give_back(number, rests_until_s_.back());
}

TargetUses::TargetUses(const TargetUses& other) : zone_(other.zone_), numbers_(other.numbers_) {
    for (const std::uint16_t number : numbers_)
        zone_->use_again(number);
}

TargetUses::~TargetUses() {
    for (const std::uint16_t number : numbers_)
        zone_->release(number);
}

std::optional<std::uint16_t> TargetUses::number_of(const std::shared_ptr<ZoneTargets>& zone,
                                                   std::span<const std::uint8_t> name,
                                                   bool is_below, std::uint32_t ttl_s) {
    const auto number = zone->use(name, is_below, ttl_s);
    if (!number) return number;
    zone_ = zone;
    if (!numbers_.insert(*number).second) zone_->release(*number);  // counted before
    return number;
}

}  // namespace steer

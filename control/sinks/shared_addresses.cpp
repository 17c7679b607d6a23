#include "control/sinks/shared_addresses.h"

#include <algorithm>

namespace steer {
namespace {

constexpr unsigned kQuarters = 4;  // of a name that counts whole

unsigned quarters_of(std::uint32_t told_s, std::uint32_t at_s) {
    constexpr std::array<unsigned, 3> kByAge{kQuarters, 2, 1};
    const std::uint32_t age = at_s > told_s ? (at_s - told_s) / SharedAddresses::kWholeS : 0;
    return age < kByAge.size() ? kByAge[age] : 0;
}

}  // namespace

SharedAddresses::Verdict SharedAddresses::told(ListId list, const IpAddress& address,
                                               std::string_view name, unsigned above,
                                               std::uint32_t now_s) {
    const Key key{list, address.bytes};
    if (addresses_.size() >= kMostAddresses && !addresses_.contains(key)) return {};
    Told& told = addresses_[key];
    note_name(told, name, now_s);
    const bool was_shared = told.shared_until_s > now_s;
    if (!was_shared && quarters(told, now_s) < kQuarters * above) return {};
    told.shared_until_s = end_of(told, kQuarters * above / 2, now_s);
    return {told.shared_until_s, !was_shared};
}

void SharedAddresses::note_name(Told& told, std::string_view name, std::uint32_t now_s) {
    const std::uint64_t hash = std::hash<std::string_view>{}(name);
    const auto end = told.names.begin() + static_cast<std::ptrdiff_t>(told.count);
    auto at = std::find_if(told.names.begin(), end, [&](const Name& n) { return n.hash == hash; });
    if (at == end) {
        if (told.count < kMostNames) {
            ++told.count;
        } else {
            at = std::min_element(told.names.begin(), end,
                                  [](const Name& a, const Name& b) { return a.told_s < b.told_s; });
        }
    }
    *at = {hash, now_s};
    if (told.examples[0] == name) return;
    if (told.examples[1] != name) told.examples[1] = name;
    std::swap(told.examples[0], told.examples[1]);
}

unsigned SharedAddresses::quarters(const Told& told, std::uint32_t at_s) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < told.count; ++i)
        sum += quarters_of(told.names[i].told_s, at_s);
    return sum;
}

// The first step down of a name at which less than `least_quarters` are left.
std::uint32_t SharedAddresses::end_of(const Told& told, unsigned least_quarters,
                                      std::uint32_t now_s) {
    std::uint32_t end_s = UINT32_MAX;
    for (std::size_t i = 0; i < told.count; ++i) {
        for (std::uint32_t step = 1; step <= 3; ++step) {
            const std::uint32_t at_s = told.names[i].told_s + step * kWholeS;
            if (at_s > now_s && at_s < end_s && quarters(told, at_s) < least_quarters) end_s = at_s;
        }
    }
    return end_s == UINT32_MAX ? now_s : end_s;
}

void SharedAddresses::forget_old(std::uint32_t now_s,
                                 const std::function<void(ListId, const IpAddress&)>& gone) {
    std::erase_if(addresses_, [&](const auto& one) {
        const auto& [key, told] = one;
        if (quarters(told, now_s) > 0) return false;
        if (gone) gone(key.list, IpAddress{key.address});
        return true;
    });
}

std::vector<SharedAddresses::Shown> SharedAddresses::show(std::uint32_t now_s) const {
    std::vector<Shown> all;
    for (const auto& [key, told] : addresses_) {
        const unsigned sum = quarters(told, now_s);
        if (sum == 0) continue;
        Shown& one = all.emplace_back();
        one.list = key.list;
        one.address = IpAddress{key.address};
        one.names = static_cast<double>(sum) / kQuarters;
        one.shared = told.shared_until_s > now_s;
        for (const std::string& name : told.examples) {
            if (!name.empty()) one.examples.push_back(name);
        }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Shown& a, const Shown& b) { return a.names > b.names; });
    return all;
}

std::size_t SharedAddresses::shared(std::uint32_t now_s, std::optional<ListId> list) const {
    return static_cast<std::size_t>(
        std::count_if(addresses_.begin(), addresses_.end(), [&](const auto& one) {
            return (!list || one.first.list == *list) && one.second.shared_until_s > now_s;
        }));
}

}  // namespace steer

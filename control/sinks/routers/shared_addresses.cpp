#include "control/sinks/routers/shared_addresses.h"

#include <algorithm>

namespace steer {
namespace {

constexpr unsigned kQuarters = 4;  // of a name that counts whole

unsigned quarters_of(std::uint32_t seen_s, std::uint32_t at_s) {
    constexpr std::array<unsigned, 3> kByAge{kQuarters, 2, 1};
    const std::uint32_t age = at_s > seen_s ? (at_s - seen_s) / SharedAddresses::kWholeS : 0;
    return age < kByAge.size() ? kByAge[age] : 0;
}

}  // namespace

SharedAddresses::Verdict SharedAddresses::record(ListId list, const IpAddress& address,
                                                 std::string_view name, unsigned above,
                                                 std::uint32_t now_s) {
    const Key key{list, address.bytes};
    if (addresses_.size() >= kMaxAddresses && !addresses_.contains(key)) return {};
    Entry& entry = addresses_[key];
    note_name(entry, name, now_s);
    const bool was_shared = entry.shared_until_s > now_s;
    if (!was_shared && quarters(entry, now_s) < kQuarters * above) return {};
    entry.shared_until_s = end_of(entry, kQuarters * above / 2, now_s);
    return {entry.shared_until_s, !was_shared};
}

void SharedAddresses::note_name(Entry& entry, std::string_view name, std::uint32_t now_s) {
    const std::uint64_t hash = std::hash<std::string_view>{}(name);
    const auto end = entry.names.begin() + static_cast<std::ptrdiff_t>(entry.count);
    auto at = std::find_if(entry.names.begin(), end, [&](const Name& n) { return n.hash == hash; });
    if (at == end) {
        if (entry.count < kMaxNames) {
            ++entry.count;
        } else {
            at = std::min_element(entry.names.begin(), end,
                                  [](const Name& a, const Name& b) { return a.seen_s < b.seen_s; });
        }
    }
    *at = {hash, now_s};
    if (entry.examples[0] == name) return;
    if (entry.examples[1] != name) entry.examples[1] = name;
    std::swap(entry.examples[0], entry.examples[1]);
}

unsigned SharedAddresses::quarters(const Entry& entry, std::uint32_t at_s) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < entry.count; ++i)
        sum += quarters_of(entry.names[i].seen_s, at_s);
    return sum;
}

// The first step down of a name at which less than `least_quarters` are left.
std::uint32_t SharedAddresses::end_of(const Entry& entry, unsigned least_quarters,
                                      std::uint32_t now_s) {
    std::uint32_t end_s = UINT32_MAX;
    for (std::size_t i = 0; i < entry.count; ++i) {
        for (std::uint32_t step = 1; step <= 3; ++step) {
            const std::uint32_t at_s = entry.names[i].seen_s + step * kWholeS;
            if (at_s > now_s && at_s < end_s && quarters(entry, at_s) < least_quarters)
                end_s = at_s;
        }
    }
    return end_s == UINT32_MAX ? now_s : end_s;
}

void SharedAddresses::forget_old(std::uint32_t now_s,
                                 const std::function<void(ListId, const IpAddress&)>& gone) {
    std::erase_if(addresses_, [&](const auto& one) {
        const auto& [key, entry] = one;
        if (quarters(entry, now_s) > 0) return false;
        if (gone) gone(key.list, IpAddress{key.address});
        return true;
    });
}

std::vector<SharedAddresses::Shown> SharedAddresses::show(std::uint32_t now_s) const {
    std::vector<Shown> all;
    for (const auto& [key, entry] : addresses_) {
        const unsigned sum = quarters(entry, now_s);
        if (sum == 0) continue;
        Shown& one = all.emplace_back();
        one.list = key.list;
        one.address = IpAddress{key.address};
        one.names = static_cast<double>(sum) / kQuarters;
        one.shared = entry.shared_until_s > now_s;
        for (const std::string& name : entry.examples) {
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

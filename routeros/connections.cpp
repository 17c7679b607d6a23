#include "routeros/connections.h"

#include <algorithm>

namespace steer::routeros {

namespace {

constexpr std::size_t kMaxLate = 65'536, kMaxFound = 1'000, kCutIds = 20;
constexpr std::uint64_t kGatherMs = 1'000, kGatherWhileBusyMs = 10'000;
constexpr std::uint64_t kApartMs = 5'000, kRestTimes = 19;
constexpr std::uint64_t kCutIdMs = 50;
constexpr std::size_t kMaxAsked = 50;
constexpr unsigned kTries = 3;
constexpr std::array<Menu, 2> kFamilies{Menu::ip, Menu::ipv6};

}  // namespace

std::optional<Address> connection_address(Menu menu, std::string_view text) {
    if (menu == Menu::ip) return Address::parse(menu, text.substr(0, text.find(':')));
    if (!text.starts_with('[')) return Address::parse(menu, text);
    const std::size_t end = text.find(']');
    return end == text.npos ? std::nullopt : Address::parse(menu, text.substr(1, end - 1));
}

bool Connections::late(const Address& address, std::uint64_t now_ms) {
    Family& family = of(address.menu());
    if (family.refused) return true;
    if (family.late.size() >= kMaxLate) return false;
    if (family.late.empty()) family.since_ms = now_ms;
    family.late.insert(address);
    return true;
}

std::uint64_t Connections::look_ms(const Family& family, bool quiet) {
    if (family.late.empty() || !family.cuts.empty()) return UINT64_MAX;
    return std::max(family.since_ms + (quiet ? kGatherMs : kGatherWhileBusyMs), family.rest_ms);
}

std::optional<Menu> Connections::look(bool quiet, std::uint64_t now_ms) {
    if (looking_) return std::nullopt;
    for (const auto menu : kFamilies) {
        Family& family = of(menu);
        if (now_ms < look_ms(family, quiet)) continue;
        family.looking.swap(family.late);
        family.entries = 0;
        look_began_ms_ = now_ms;
        return looking_ = menu;
    }
    return std::nullopt;
}

void Connections::found(RowId id, const Address& address) {
    if (!looking_) return;
    Family& family = of(*looking_);
    if (!family.looking.contains(address)) return;
    if (family.entries == kMaxFound) {
        late(address, look_began_ms_);
        return;
    }
    if (family.entries++ % kCutIds == 0) family.cuts.emplace_back();
    family.cuts.back().push_back({id, address});
}

void Connections::looked(std::uint64_t now_ms) {
    if (!looking_) return;
    Family& family = of(*looking_);
    family.looking.clear();
    family.tries = 0;
    const std::uint64_t took_ms = now_ms - look_began_ms_;
    family.rest_ms = std::max(look_began_ms_ + kApartMs, now_ms + kRestTimes * took_ms);
    looking_.reset();
}

bool Connections::looked_in_part(std::uint64_t now_ms) {
    if (!looking_) return true;
    Family& family = of(*looking_);
    const bool again = ++family.tries < kTries;
    const unsigned tries = family.tries;
    const auto addresses = std::move(family.looking);
    looked(now_ms);
    if (!again) return false;
    family.tries = tries;
    for (const auto& address : addresses)
        late(address, now_ms);
    return true;
}

std::vector<Address> Connections::asked() const {
    if (!looking_) return {};
    const Family& family = of(*looking_);
    if (!family.ports_apart || family.looking.size() > kMaxAsked) return {};
    return {family.looking.begin(), family.looking.end()};
}

std::optional<Connections::Cut> Connections::cut(std::uint64_t now_ms) {
    if (cutting_ || now_ms < next_cut_ms_) return std::nullopt;
    for (const auto menu : kFamilies) {
        const Family& family = of(menu);
        if (family.cuts.empty() || looking_ == menu) continue;
        Cut cut{menu, {}};
        for (const auto& entry : family.cuts.front())
            cut.ids.push_back(entry.id);
        next_cut_ms_ = now_ms + kCutIdMs * cut.ids.size();
        cutting_ = menu;
        return cut;
    }
    return std::nullopt;
}

std::size_t Connections::cut_done() {
    if (!cutting_) return 0;
    auto& cuts = of(*cutting_).cuts;
    cutting_.reset();
    const std::size_t count = cuts.front().size();
    cuts.pop_front();
    return count;
}

void Connections::cut_missed() {
    if (!cutting_) return;
    auto& cuts = of(*cutting_).cuts;
    cutting_.reset();
    std::vector<Found> first = std::move(cuts.front());
    cuts.pop_front();
    if (first.size() < 2) return;
    const auto middle = first.begin() + static_cast<std::ptrdiff_t>(first.size() / 2);
    cuts.emplace_front(middle, first.end());
    first.erase(middle, first.end());
    cuts.push_front(std::move(first));
}

std::uint64_t Connections::next_ms(bool quiet) const {
    std::uint64_t next = UINT64_MAX;
    for (const auto menu : kFamilies) {
        const Family& family = of(menu);
        if (!looking_) next = std::min(next, look_ms(family, quiet));
        if (!cutting_ && looking_ != menu && !family.cuts.empty())
            next = std::min(next, next_cut_ms_);
    }
    return next;
}

std::size_t Connections::waiting() const {
    std::size_t count = 0;
    for (const auto& family : families_)
        count += family.late.size() + family.looking.size();
    return count;
}

void Connections::refuse(Menu menu) {
    Family& family = of(menu);
    family.refused = true;
    family.late.clear();
    family.looking.clear();
    family.cuts.clear();
    if (looking_ == menu) looking_.reset();
    if (cutting_ == menu) cutting_.reset();
}

void Connections::session(std::uint64_t now_ms) {
    const auto again = looking_;
    for (auto& family : families_) {
        family.refused = family.ports_apart = false;
        family.tries = 0;
        const auto looking = std::move(family.looking);
        const auto cuts = std::move(family.cuts);
        family.looking.clear();
        family.cuts.clear();
        for (const auto& address : looking)
            late(address, now_ms);
        for (const auto& entries : cuts) {
            for (const auto& entry : entries)
                late(entry.address, now_ms);
        }
    }
    // It took so long that it may have ended the session.
    if (again) looked(now_ms);
    cutting_.reset();
}

void Connections::clear() {
    *this = {};
}

}  // namespace steer::routeros

#include "routeros/connections.h"

#include <algorithm>
#include <utility>

namespace steer::routeros {

namespace {

constexpr std::size_t kMaxLate = 65'536, kMaxFound = 1'000, kCutIds = 20;
constexpr std::uint64_t kGatherMs = 1'000, kGatherWhileBusyMs = 10'000;
constexpr std::uint64_t kApartMs = 5'000, kRestTimes = 19;
constexpr std::uint64_t kCutIdMs = 50;
constexpr std::size_t kMaxAsked = 50;
constexpr unsigned kTries = 3;
constexpr std::uint64_t kKeptMs = 30'000, kFreeMs = 10'000;
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
    want(family, now_ms);
    family.late.insert(address);
    return true;
}

void Connections::want(Family& family, std::uint64_t now_ms) {
    if (family.late.empty() && family.guarded.empty()) family.since_ms = now_ms;
}

std::uint64_t Connections::print_due_ms(const Family& family, bool quiet) {
    if (!family.cuts.empty() || family.refused) return UINT64_MAX;
    const bool wanted = !family.late.empty() || !family.guarded.empty();
    const std::uint64_t wanted_ms =
        wanted ? family.since_ms + (quiet ? kGatherMs : kGatherWhileBusyMs) : UINT64_MAX;
    return std::max(std::min(wanted_ms, family.kept_ms), family.rest_ms);
}

std::optional<Menu> Connections::begin_print(bool quiet, std::uint64_t now_ms) {
    if (printing_) return std::nullopt;
    for (const auto menu : kFamilies) {
        Family& family = of(menu);
        if (now_ms < print_due_ms(family, quiet)) continue;
        family.searched.swap(family.late);
        family.guarding.swap(family.guarded);
        if (now_ms >= family.kept_ms) {
            family.guarding.insert(family.kept.begin(), family.kept.end());
            family.kept_ms = UINT64_MAX;
        }
        family.busy.clear();
        family.free.clear();
        family.entries = 0;
        print_began_ms_ = now_ms;
        return printing_ = menu;
    }
    return std::nullopt;
}

void Connections::found(RowId id, const Address& address, bool is_marked) {
    if (!printing_) return;
    Family& family = of(*printing_);
    if (family.guarding.contains(address)) family.busy.insert(address);
    for (const Address& prefix : family.guarding) {
        if (!prefix.is_host() && address.within(prefix.prefix) == prefix)
            family.busy.insert(prefix);
    }
    if (is_marked || !family.searched.contains(address)) return;
    if (family.entries == kMaxFound) {
        late(address, print_began_ms_);
        return;
    }
    if (family.entries++ % kCutIds == 0) family.cuts.emplace_back();
    family.cuts.back().push_back({id, address});
}

void Connections::end_print(std::uint64_t now_ms) {
    if (!printing_) return;
    Family& family = of(*printing_);
    family.searched.clear();
    family.tries = 0;
    busy_ += family.busy.size();
    for (const Address& address : family.guarding) {
        if (family.busy.contains(address)) continue;
        family.free.insert(address);
        freed_.push_back(address);
    }
    family.free_until_ms = now_ms + kFreeMs;
    keep(family, now_ms);
    const std::uint64_t took_ms = now_ms - print_began_ms_;
    family.rest_ms = std::max(print_began_ms_ + kApartMs, now_ms + kRestTimes * took_ms);
    printing_.reset();
}

bool Connections::end_print_early(std::uint64_t now_ms) {
    if (!printing_) return true;
    Family& family = of(*printing_);
    const bool again = ++family.tries < kTries;
    const unsigned tries = family.tries;
    const auto addresses = std::move(family.searched);
    // What was not seen may still be there.
    family.busy = family.guarding;
    const std::size_t busy = busy_;
    end_print(now_ms);
    busy_ = busy;
    if (!again) return false;
    family.tries = tries;
    for (const auto& address : addresses)
        late(address, now_ms);
    return true;
}

std::vector<Address> Connections::asked() const {
    if (!printing_) return {};
    const Family& family = of(*printing_);
    if (!family.ports_apart || family.searched.size() + family.guarding.size() > kMaxAsked)
        return {};
    if (!std::ranges::all_of(family.guarding, &Address::is_host)) return {};
    std::vector<Address> asked(family.searched.begin(), family.searched.end());
    for (const Address& address : family.guarding) {
        if (!family.searched.contains(address)) asked.push_back(address);
    }
    return asked;
}

bool Connections::only_unmarked() const {
    return !printing_ || of(*printing_).guarding.empty();
}

// --- routes --------------------------------------------------------------------------------------

// The routes of this print that stay are searched for again.
void Connections::keep(Family& family, std::uint64_t now_ms) {
    for (const Address& address : family.guarding)
        family.kept.erase(address);
    family.kept.insert(family.busy.begin(), family.busy.end());
    if (family.kept.empty()) family.kept_ms = UINT64_MAX;
    if (!family.kept.empty() && family.kept_ms == UINT64_MAX) family.kept_ms = now_ms + kKeptMs;
    family.guarding.clear();
    family.busy.clear();
}

void Connections::forget_routes(Family& family) {
    for (auto* const set :
         {&family.guarded, &family.guarding, &family.busy, &family.kept, &family.free})
        set->clear();
    family.kept_ms = UINT64_MAX;
}

void Connections::guard(const Address& address, std::uint64_t now_ms) {
    Family& family = of(address.menu());
    if (family.refused || family.kept.contains(address) || family.guarding.contains(address))
        return;
    want(family, now_ms);
    family.guarded.insert(address);
}

bool Connections::is_free(const Address& address, std::uint64_t now_ms) const {
    const Family& family = of(address.menu());
    return now_ms < family.free_until_ms && family.free.contains(address);
}

std::vector<Address> Connections::take_free() {
    return std::exchange(freed_, {});
}

std::size_t Connections::take_busy() {
    return std::exchange(busy_, 0);
}

std::size_t Connections::kept() const {
    std::size_t count = 0;
    for (const auto& family : families_)
        count += family.kept.size();
    return count;
}

std::optional<Connections::Cut> Connections::cut(std::uint64_t now_ms) {
    if (cutting_ || now_ms < next_cut_ms_) return std::nullopt;
    for (const auto menu : kFamilies) {
        const Family& family = of(menu);
        if (family.cuts.empty() || printing_ == menu) continue;
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
        if (!printing_) next = std::min(next, print_due_ms(family, quiet));
        if (!cutting_ && printing_ != menu && !family.cuts.empty())
            next = std::min(next, next_cut_ms_);
    }
    return next;
}

std::size_t Connections::waiting() const {
    std::size_t count = 0;
    for (const auto& family : families_)
        count += family.late.size() + family.searched.size();
    return count;
}

void Connections::refuse(Menu menu) {
    Family& family = of(menu);
    family.refused = true;
    family.late.clear();
    family.searched.clear();
    forget_routes(family);
    family.cuts.clear();
    if (printing_ == menu) printing_.reset();
    if (cutting_ == menu) cutting_.reset();
}

void Connections::session(std::uint64_t now_ms) {
    const auto again = printing_;
    for (auto& family : families_) {
        family.refused = family.ports_apart = false;
        family.tries = 0;
        const auto searched = std::move(family.searched);
        const auto cuts = std::move(family.cuts);
        family.searched.clear();
        family.cuts.clear();
        for (const auto& address : searched)
            late(address, now_ms);
        // Routes are judged again when the rows are read.
        forget_routes(family);
        for (const auto& entries : cuts) {
            for (const auto& entry : entries)
                late(entry.address, now_ms);
        }
    }
    // It took so long that it may have ended the session.
    if (again) end_print(now_ms);
    cutting_.reset();
}

void Connections::clear() {
    *this = {};
}

}  // namespace steer::routeros

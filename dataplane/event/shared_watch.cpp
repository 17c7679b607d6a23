#include "dataplane/event/shared_watch.h"

#include <algorithm>
#include <cstring>

#include "dataplane/event/claimable.h"

namespace steer {

SharedWatch::SharedWatch(const cache::KeyHasher& hasher, const RowBoard& board,
                         const ListStates& lists, Ring<Event>* to_routers, Counters& counters)
    : hasher_(hasher), board_(board), lists_(lists), to_routers_(to_routers), counters_(counters) {}

bool SharedWatch::take_turn(unsigned count, Now now) noexcept {
    if (turn_s_ != now.s()) {
        turn_s_ = now.s();
        turns_ = 0;
    }
    if (turns_ >= kHitsPerSecond) return false;
    turns_ += count;
    return true;
}

void SharedWatch::check(const LeavingAnswer& a, Now now) noexcept {
    if (to_routers_ == nullptr) return;
    for (const std::uint8_t index : a.snapshot.watched_lists) {
        if (std::find(a.lists.begin(), a.lists.end(), index) == a.lists.end())
            check_list(a.snapshot.lists[index], a, now);
    }
}

void SharedWatch::check_list(const PolicyList& list, const LeavingAnswer& a, Now now) noexcept {
    Event& e = event_;
    e.count = 0;
    e.list = list.id_for(a.client);
    std::uint64_t name = 0;
    for_each_claimable(list, a.answer, [&](const IpAddress& address) {
        if (e.count == kEventAddresses || !is_held(e.list, address, now)) return;
        if (to_routers_->room() == 0) return counters_.add(Stat::events_shared_lost);
        if (name == 0) name = hasher_.of_name(a.qname).low;
        if (!reported_lately(name, e.list, address, now)) e.addresses[e.count++] = address;
    });
    if (e.count == 0) return;
    e.raised_ms = now.ms;
    e.kind = EventKind::shared_address;
    e.shared_above = list.shared_above;
    e.skips_shared = list.shared == Sharing::skip;
    e.name_len = static_cast<std::uint8_t>(a.qname.size());
    std::copy(a.qname.begin(), a.qname.end(), e.name.begin());
    if (to_routers_->push(e)) counters_.add(Stat::events_shared);
}

// A skipped address is still counted, so that it returns when other names stop using it.
bool SharedWatch::is_held(ListId list, const IpAddress& address, Now now) const noexcept {
    const std::uint32_t epoch = lists_[list].epoch();
    return board_.installed_until(list, address, epoch) > now.s() ||
           board_.is_skipped(list, address, now.s());
}

bool SharedWatch::reported_lately(std::uint64_t name, ListId list, const IpAddress& address,
                                  Now now) noexcept {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
    std::uint64_t words[2];
    std::memcpy(words, address.bytes.data(), sizeof words);
    std::uint64_t mixed = name ^ list;
    for (const std::uint64_t word : words) {
        mixed = (mixed ^ word) * kOdd;
        mixed ^= mixed >> 32;
    }
    Report& report = reports_[mixed % kReports];
    const auto what = static_cast<std::uint32_t>(mixed >> 32);
    if (report.what == what && report.at_s != 0 && now.s() - report.at_s < kAgainAfterS)
        return true;
    report = {what, now.s()};
    return false;
}

}  // namespace steer

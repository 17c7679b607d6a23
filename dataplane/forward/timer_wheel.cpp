#include "dataplane/forward/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace steer::forward {

TimerWheel::TimerWheel(unsigned timers) : links_(timers) {
    heads_.fill(kNone);
}

void TimerWheel::set(std::uint32_t timer, std::uint64_t at_ms, std::uint64_t now_ms) noexcept {
    cancel(timer);
    if (count_ == 0) current_ = std::max(current_, now_ms / kTickMs);
    place(timer, std::max(at_ms, now_ms + 1));
}

void TimerWheel::cancel(std::uint32_t timer) noexcept {
    if (links_[timer].slot != kNone) unlink(timer);
}

std::uint32_t TimerWheel::pop_due(std::uint64_t now_ms) noexcept {
    const std::uint64_t target = now_ms / kTickMs;
    for (;;) {
        const std::uint64_t tick = next_tick();
        if (tick > target) {
            current_ = std::max(current_, target);
            return kNone;
        }
        current_ = tick - 1;  // this slot may hold more timers
        const std::uint32_t timer = heads_[tick % kSlots];
        unlink(timer);
        if (links_[timer].at_ms <= now_ms) return timer;
        place(timer, links_[timer].at_ms);
    }
}

std::uint64_t TimerWheel::next_ms() const noexcept {
    const std::uint64_t tick = next_tick();
    return tick == UINT64_MAX ? UINT64_MAX : tick * kTickMs;
}

void TimerWheel::place(std::uint32_t timer, std::uint64_t at_ms) noexcept {
    const std::uint64_t wanted = (at_ms + kTickMs - 1) / kTickMs;
    const std::uint64_t tick = std::clamp(wanted, current_ + 1, current_ + kSlots - 1);
    const auto slot = static_cast<std::uint32_t>(tick % kSlots);
    Link& link = links_[timer];
    link = {kNone, heads_[slot], slot, at_ms};
    if (link.next != kNone) links_[link.next].previous = timer;
    heads_[slot] = timer;
    occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    ++count_;
}

void TimerWheel::unlink(std::uint32_t timer) noexcept {
    Link& link = links_[timer];
    if (link.next != kNone) links_[link.next].previous = link.previous;
    if (link.previous != kNone) {
        links_[link.previous].next = link.next;
    } else {
        heads_[link.slot] = link.next;
        if (link.next == kNone)
            occupied_[link.slot / 64] &= ~(std::uint64_t{1} << (link.slot % 64));
    }
    link.slot = kNone;
    --count_;
}

std::uint64_t TimerWheel::next_tick() const noexcept {
    if (count_ == 0) return UINT64_MAX;
    // Around the wheel once, from the slot after current_. The first word is read twice, once for
    // each end.
    const std::uint64_t start = (current_ + 1) % kSlots;
    std::uint64_t bits = occupied_[start / 64] & (~std::uint64_t{0} << (start % 64));
    for (std::uint64_t word = start / 64, n = 0; n <= occupied_.size(); ++n) {
        if (bits != 0) {
            const std::uint64_t slot = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
            return current_ + 1 + (slot - start) % kSlots;
        }
        word = (word + 1) % occupied_.size();
        bits = occupied_[word];
    }
    return UINT64_MAX;
}

}  // namespace steer::forward

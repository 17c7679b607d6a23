#include "control/program/build/publish.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>

namespace steer::build {

Publisher::Publisher(Shared& shared) : shared_(shared) {}

Publisher::~Publisher() {
    shared_.snapshot.store(nullptr, std::memory_order_release);
}

Result<std::uint32_t> Publisher::publish(std::unique_ptr<Snapshot>& snapshot, Now now) {
    const auto place = std::find_if(slots_.begin(), slots_.end(),
                                    [](const Slot& s) { return s.phase == Phase::free; });
    if (place == slots_.end()) {
        return Error{
            "queries of " + std::to_string(kMaxGenerations - 1) +
            " earlier configurations are still running: the reload waits for them, at most 10 s"};
    }
    snapshot->generation = ++last_generation_;
    snapshot->slot = static_cast<std::uint8_t>(place - slots_.begin());
    place->snapshot = std::move(snapshot);
    shared_.snapshot.store(place->snapshot.get(), std::memory_order_release);
    for (Slot& slot : slots_) {
        if (slot.phase != Phase::in_force) continue;
        slot.phase = Phase::grace;
        slot.replaced_ms = now.ms;
        slot.token = rte_rcu_qsbr_start(shared_.qsbr);
    }
    place->phase = Phase::in_force;
    return last_generation_;
}

void Publisher::poll(Now now) {
    std::uint32_t retire = 0;
    for (Slot& slot : slots_) {
        step(slot);
        const bool old = slot.phase == Phase::grace || slot.phase == Phase::parked;
        if (old && now.ms - slot.replaced_ms >= kRetireAfterMs)
            retire = std::max(retire, slot.snapshot->generation);
    }
    shared_.retire_generation.store(retire, std::memory_order_relaxed);
}

// Takes a slot as far as it can go now.
void Publisher::step(Slot& slot) {
    if (slot.phase == Phase::grace && rte_rcu_qsbr_check(shared_.qsbr, slot.token, false) == 1) {
        slot.phase = Phase::parked;
    }
    if (slot.phase == Phase::parked && parked_under(slot) == 0) {
        slot.phase = Phase::last_grace;
        slot.token = rte_rcu_qsbr_start(shared_.qsbr);
    }
    if (slot.phase == Phase::last_grace &&
        rte_rcu_qsbr_check(shared_.qsbr, slot.token, false) == 1) {
        slot.snapshot.reset();
        slot.phase = Phase::free;
    }
}

std::uint32_t Publisher::parked_under(const Slot& slot) const {
    const auto place = static_cast<std::size_t>(&slot - slots_.data());
    std::uint32_t sum = 0;
    for (const auto& counts : shared_.parked)
        sum += counts.by_slot[place].load(std::memory_order_acquire);
    return sum;
}

unsigned Publisher::alive() const {
    return static_cast<unsigned>(std::count_if(
        slots_.begin(), slots_.end(), [](const Slot& s) { return s.phase != Phase::free; }));
}

const Snapshot* Publisher::current() const {
    const auto at = std::find_if(slots_.begin(), slots_.end(),
                                 [](const Slot& s) { return s.phase == Phase::in_force; });
    return at == slots_.end() ? nullptr : at->snapshot.get();
}

const Snapshot* Publisher::find(std::uint32_t generation) const {
    const auto at = std::find_if(slots_.begin(), slots_.end(), [generation](const Slot& s) {
        return s.snapshot != nullptr && s.snapshot->generation == generation;
    });
    return at == slots_.end() ? nullptr : at->snapshot.get();
}

}  // namespace steer::build

#include "dataplane/limits/offender_board.h"

#include <bit>
#include <cstring>

namespace steer {
namespace {

constexpr std::uint64_t kShareMask = 0xffff;
constexpr std::uint64_t kProven = std::uint64_t{1} << 32;
constexpr unsigned kBitsAt = 40;
constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

OffenderBoard::OffenderBoard()
    : slots_(std::make_unique<Slot[]>(kSlots)),
      shares_(std::make_unique<std::atomic<std::uint64_t>[]>(kSlots)) {}

void OffenderBoard::note(std::uint64_t key, std::uint16_t row, const Source& source,
                         std::uint64_t units, bool is_refused, std::uint64_t now_ms) noexcept {
    Slot* const set = &slots_[first_of(key)];
    Slot* at = nullptr;
    Slot* oldest = set;
    for (std::size_t i = 0; i < kInSet; ++i) {
        if (set[i].key.load(kRelaxed) == key) {
            at = &set[i];
            break;
        }
        if (set[i].seen_ms.load(kRelaxed) < oldest->seen_ms.load(kRelaxed)) oldest = &set[i];
    }
    const auto add = [](std::atomic<std::uint64_t>& to, std::uint64_t n) {
        to.store(to.load(kRelaxed) + n, kRelaxed);
    };
    if (at == nullptr) {
        if (oldest->key.load(kRelaxed) != 0 && now_ms - oldest->seen_ms.load(kRelaxed) < kQuietMs)
            return;
        at = oldest;
        at->key.store(0, kRelaxed);
        std::atomic_thread_fence(std::memory_order_release);
        at->demand.store(0, kRelaxed);
        at->refused.store(0, kRelaxed);
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(source.prefix.bytes);
        at->prefix[0].store(halves[0], kRelaxed);
        at->prefix[1].store(halves[1], kRelaxed);
        std::array<std::uint64_t, kNameWords> words{};
        const std::size_t length = source.name.size() <= kNameBytes ? source.name.size() : 0;
        if (length != 0) std::memcpy(words.data(), source.name.data(), length);
        for (std::size_t i = 0; i < kNameWords; ++i)
            at->name[i].store(words[i], kRelaxed);
        at->facts.store((source.is_proven ? kProven : 0) | std::uint64_t{source.bits} << kBitsAt |
                            std::uint64_t{row} << 8 | length,
                        kRelaxed);
        at->seen_ms.store(now_ms, kRelaxed);
        at->key.store(key, std::memory_order_release);
    }
    add(at->demand, units);
    if (is_refused) add(at->refused, 1);
    at->seen_ms.store(now_ms, kRelaxed);
}

std::uint32_t OffenderBoard::share(std::uint64_t key) const noexcept {
    const std::atomic<std::uint64_t>* const set = &shares_[first_of(key)];
    for (std::size_t i = 0; i < kInSet; ++i) {
        const std::uint64_t word = set[i].load(kRelaxed);
        if ((word ^ key) <= kShareMask) return static_cast<std::uint32_t>(word & kShareMask);
    }
    return 0;
}

bool OffenderBoard::read(std::size_t slot, Offender& out) const noexcept {
    const Slot& from = slots_[slot];
    out.key = from.key.load(std::memory_order_acquire);
    if (out.key == 0) return false;
    out.demand = from.demand.load(kRelaxed);
    out.refused = from.refused.load(kRelaxed);
    out.seen_ms = from.seen_ms.load(kRelaxed);
    const std::array<std::uint64_t, 2> halves{from.prefix[0].load(kRelaxed),
                                              from.prefix[1].load(kRelaxed)};
    out.prefix.bytes = std::bit_cast<std::array<std::uint8_t, 16>>(halves);
    const std::uint64_t facts = from.facts.load(kRelaxed);
    out.row = static_cast<std::uint16_t>(facts >> 8);
    out.is_proven = (facts & kProven) != 0;
    out.bits = static_cast<std::uint8_t>(facts >> kBitsAt);
    out.name_length = static_cast<std::uint8_t>(facts & 0xff);
    std::array<std::uint64_t, kNameWords> words;
    for (std::size_t i = 0; i < kNameWords; ++i)
        words[i] = from.name[i].load(kRelaxed);
    std::memcpy(out.name.data(), words.data(), kNameBytes);
    std::atomic_thread_fence(std::memory_order_acquire);
    return from.key.load(kRelaxed) == out.key;
}

bool OffenderBoard::set_share(std::uint64_t key, std::uint32_t share) noexcept {
    std::atomic<std::uint64_t>* const set = &shares_[first_of(key)];
    std::atomic<std::uint64_t>* free = nullptr;
    const std::uint64_t word = share == 0 ? 0 : (key & ~kShareMask) | (share & kShareMask);
    for (std::size_t i = 0; i < kInSet; ++i) {
        const std::uint64_t old = set[i].load(kRelaxed);
        if (old != 0 && (old ^ key) <= kShareMask) {
            set[i].store(word, kRelaxed);
            if (word == 0) share_count_.fetch_sub(1, kRelaxed);
            return true;
        }
        if (old == 0 && free == nullptr) free = &set[i];
    }
    if (word == 0) return true;
    if (free == nullptr) return false;
    free->store(word, kRelaxed);
    share_count_.fetch_add(1, kRelaxed);
    return true;
}

void OffenderBoard::clear_shares() noexcept {
    for (std::size_t i = 0; i < kSlots; ++i)
        shares_[i].store(0, kRelaxed);
    share_count_.store(0, kRelaxed);
}

}  // namespace steer

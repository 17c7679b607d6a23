#include "dataplane/cache/arena.h"

#include <rte_debug.h>
#include <rte_malloc.h>

#include <algorithm>
#include <new>

namespace steer::cache {
namespace {

constexpr unsigned kIndexBits = 9;

// How a page of a class is laid out: the records of its slots, then the slots, on lines of their own.
struct PageLayout {
    std::uint32_t slots;
    std::uint32_t first;  // offset of the first slot
};

constexpr std::uint32_t records_room(std::uint32_t slots) {
    return static_cast<std::uint32_t>((slots * sizeof(Slot) + 63) & ~std::size_t{63});
}

constexpr PageLayout page_layout(std::uint32_t slot_size) {
    std::uint32_t slots = static_cast<std::uint32_t>(kPageSize) / slot_size;
    while (records_room(slots) + slots * slot_size > kPageSize)
        --slots;
    return {slots, records_room(slots)};
}

constexpr std::array<PageLayout, kClasses> kLayouts = [] {
    std::array<PageLayout, kClasses> all{};
    for (std::size_t i = 0; i < kClasses; ++i)
        all[i] = page_layout(kSlotSizes[i]);
    return all;
}();
static_assert(kLayouts.front().slots < 1U << kIndexBits && kLayouts.back().slots == 1);

std::size_t page_of(SlotId id) {
    return id >> kIndexBits;
}
std::size_t index_of(SlotId id) {
    return id & ((1U << kIndexBits) - 1);
}

}  // namespace

Arena::Arena(std::size_t budget_bytes)
    : pages_(std::max<std::size_t>(budget_bytes / kPageSize, 1)) {
    // A small arena is for whoever comes first.
    if (pages_ < 4 * kClasses) classes_without_page_ = 0;
    class_of_page_.resize(pages_);
    base_ = static_cast<std::uint8_t*>(rte_malloc("cache", pages_ * kPageSize, 64));
    if (base_ == nullptr) {
        rte_panic("no memory for a cache of %zu MiB: give dataplane.memory more\n",
                  budget_bytes >> 20);
    }
}

Arena::~Arena() {
    rte_free(base_);
}

unsigned Arena::class_for(std::size_t bytes) noexcept {
    const auto* size = std::lower_bound(kSlotSizes.begin(), kSlotSizes.end(), bytes);
    return static_cast<unsigned>(size - kSlotSizes.begin());
}

bool Arena::can_grow(unsigned size_class) const noexcept {
    const std::size_t kept = classes_[size_class].slots == 0 ? 0 : classes_without_page_;
    return next_page_ + kept < pages_;
}

void Arena::grow(unsigned size_class) noexcept {
    SizeClass& c = classes_[size_class];
    if (c.slots == 0 && classes_without_page_ != 0) --classes_without_page_;
    const std::size_t page = next_page_++;
    class_of_page_[page] = static_cast<std::uint8_t>(size_class);
    const PageLayout layout = kLayouts[size_class];
    for (std::uint32_t i = layout.slots; i-- > 0;) {
        const auto id = static_cast<SlotId>(page << kIndexBits | i);
        new (&slot(id)) Slot{};
        slot(id).next = c.first_free;
        c.first_free = id;
    }
    c.free += layout.slots;
    c.slots += layout.slots;
}

SlotId Arena::take(unsigned size_class) noexcept {
    SizeClass& c = classes_[size_class];
    if (c.first_free == kNoSlot) {
        if (!can_grow(size_class)) return kNoSlot;
        grow(size_class);
    }
    const SlotId id = c.first_free;
    c.first_free = slot(id).next;
    --c.free;
    slot(id) = Slot{};
    return id;
}

void Arena::give_back(SlotId id) noexcept {
    SizeClass& c = classes_[class_of_page_[page_of(id)]];
    slot(id).next = c.first_free;
    c.first_free = id;
    ++c.free;
}

Entry* Arena::entry(SlotId id) noexcept {
    const std::size_t page = page_of(id);
    const unsigned c = class_of_page_[page];
    return reinterpret_cast<Entry*>(base_ + page * kPageSize + kLayouts[c].first +
                                    index_of(id) * kSlotSizes[c]);
}

Slot& Arena::slot(SlotId id) noexcept {
    return reinterpret_cast<Slot*>(base_ + page_of(id) * kPageSize)[index_of(id)];
}

SlotId Arena::id_of(const Entry* entry) const noexcept {
    const auto offset =
        static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(entry) - base_);
    const std::size_t page = offset / kPageSize;
    const unsigned c = class_of_page_[page];
    const std::size_t index = (offset % kPageSize - kLayouts[c].first) / kSlotSizes[c];
    return static_cast<SlotId>(page << kIndexBits | index);
}

}  // namespace steer::cache

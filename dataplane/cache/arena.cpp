#include "dataplane/cache/arena.h"

#include <rte_debug.h>
#include <rte_malloc.h>

#include <algorithm>
#include <new>
#include <utility>

#include "dataplane/base/memory_node.h"

namespace steer::cache {
namespace {

constexpr unsigned kIndexBits = 9;
constexpr std::uint32_t kMaxSlots = 64 * std::tuple_size_v<decltype(PageView::live)>;

// Layout of a page: the records of its slots, then the slots, on cache lines of their own.
struct PageLayout {
    std::uint32_t slots;
    std::uint32_t first;  // offset of the first slot
};

constexpr std::uint32_t records_room(std::uint32_t slots) {
    return static_cast<std::uint32_t>((slots * sizeof(Slot) + 63) & ~std::size_t{63});
}

constexpr PageLayout page_layout(std::uint32_t slot_size) {
    std::uint32_t slots =
        std::min<std::uint32_t>(static_cast<std::uint32_t>(kPageSize) / slot_size, kMaxSlots);
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

std::size_t index_of(SlotId id) {
    return id & ((1U << kIndexBits) - 1);
}

std::uint64_t bit_of(SlotId id) {
    return std::uint64_t{1} << (index_of(id) % 64);
}

}  // namespace

Arena::Arena(std::size_t budget_bytes)
    : pages_(std::max<std::size_t>(budget_bytes / kPageSize, 1)),
      views_(std::make_unique<PageView[]>(pages_.size())) {
    base_ = static_cast<std::uint8_t*>(allocate_near("cache", pages_.size() * kPageSize, 64));
    if (base_ == nullptr) {
        rte_panic("no memory for a cache of %zu MiB: give dataplane.memory more\n",
                  budget_bytes >> 20);
    }
    stock_ = 0;
    for (PageId page = 0; page + 1 < pages_.size(); ++page)
        pages_[page].next = page + 1;
}

Arena::~Arena() {
    rte_free(base_);
}

unsigned Arena::class_for(std::size_t bytes) noexcept {
    const auto* size = std::lower_bound(kSlotSizes.begin(), kSlotSizes.end(), bytes);
    return static_cast<unsigned>(size - kSlotSizes.begin());
}

std::size_t Arena::slots_per_page(unsigned size_class) noexcept {
    return kLayouts[size_class].slots;
}

PageId Arena::page_of(SlotId id) noexcept {
    return id >> kIndexBits;
}

SlotId Arena::slot_of(PageId page, std::size_t index) noexcept {
    return page << kIndexBits | static_cast<SlotId>(index);
}

// ---- pages

// The head of the list for pages in this state; nullptr: no list is searched for it.
PageId* Arena::list_of(const Page& page) noexcept {
    switch (page.state) {
        case Page::State::partial:
            return &classes_[page.size_class].partial;
        case Page::State::empty:
            return &classes_[page.size_class].empty;
        case Page::State::stock:
        case Page::State::full:
        case Page::State::asked_back:
            break;
    }
    return nullptr;
}

void Arena::enlist(PageId id, Page::State state) noexcept {
    Page& page = pages_[id];
    page.state = state;
    PageId* const head = list_of(page);
    if (head == nullptr) return;
    page.previous = kNoPage;
    page.next = *head;
    if (*head != kNoPage) pages_[*head].previous = id;
    *head = id;
}

void Arena::delist(PageId id) noexcept {
    const Page& page = pages_[id];
    PageId* const head = list_of(page);
    if (head == nullptr) return;
    (page.previous == kNoPage ? *head : pages_[page.previous].next) = page.next;
    if (page.next != kNoPage) pages_[page.next].previous = page.previous;
}

// Takes a page from the stock, which is not empty.
void Arena::grow(unsigned size_class) noexcept {
    const PageId id = stock_;
    Page& page = pages_[id];
    stock_ = page.next;
    const auto slots = static_cast<std::uint16_t>(kLayouts[size_class].slots);
    page = Page{.free = slots, .slots = slots, .size_class = static_cast<std::uint8_t>(size_class)};
    for (std::uint32_t i = slots; i-- > 0;) {
        const SlotId slot_id = slot_of(id, i);
        (new (&slot(slot_id)) Slot{})->next() = page.first_free;
        page.first_free = slot_id;
    }
    classes_[size_class].free += slots;
    classes_[size_class].slots += slots;
    enlist(id, Page::State::empty);
    views_[id].size_class.store(page.size_class, std::memory_order_release);
}

void Arena::ask_back(PageId id) noexcept {
    Page& page = pages_[id];
    delist(id);
    classes_[page.size_class].free -= page.free;
    classes_[page.size_class].slots -= page.slots;
    page.state = Page::State::asked_back;
    page.next = kNoPage;
    if (page.free == page.slots) {
        views_[id].size_class.store(PageView::kNone, std::memory_order_relaxed);
        page.next = std::exchange(emptied_, id);
    }
}

bool Arena::belongs_to(PageId page, unsigned size_class) const noexcept {
    const Page& p = pages_[page];
    return p.size_class == size_class && p.state != Page::State::stock &&
           p.state != Page::State::asked_back;
}

bool Arena::was_asked_back(PageId page) const noexcept {
    return pages_[page].state == Page::State::asked_back;
}

void Arena::begin_grace() noexcept {
    in_grace_ = std::exchange(emptied_, kNoPage);
}

void Arena::end_grace() noexcept {
    while (in_grace_ != kNoPage) {
        const PageId id = in_grace_;
        in_grace_ = pages_[id].next;
        pages_[id].state = Page::State::stock;
        pages_[id].next = std::exchange(stock_, id);
    }
}

// ---- slots

SlotId Arena::take(unsigned size_class) noexcept {
    SizeClass& c = classes_[size_class];
    if (c.partial == kNoPage && c.empty == kNoPage) {
        if (!can_grow()) return kNoSlot;
        grow(size_class);
    }
    const PageId page_id = c.partial != kNoPage ? c.partial : c.empty;
    Page& page = pages_[page_id];
    const SlotId id = page.first_free;
    page.first_free = slot(id).next();
    --page.free;
    --c.free;
    if (page.free == 0 || page.state == Page::State::empty) {
        delist(page_id);
        enlist(page_id, page.free == 0 ? Page::State::full : Page::State::partial);
    }
    slot(id) = Slot{};
    return id;
}

void Arena::give_back(SlotId id) noexcept {
    const PageId page_id = page_of(id);
    Page& page = pages_[page_id];
    slot(id).next() = page.first_free;
    page.first_free = id;
    ++page.free;
    if (page.state == Page::State::asked_back) {
        if (page.free < page.slots) return;
        views_[page_id].size_class.store(PageView::kNone, std::memory_order_relaxed);
        page.next = std::exchange(emptied_, page_id);
        return;
    }
    ++classes_[page.size_class].free;
    const bool is_empty = page.free == page.slots;
    if (is_empty || page.state == Page::State::full) {
        delist(page_id);
        enlist(page_id, is_empty ? Page::State::empty : Page::State::partial);
    }
}

Entry* Arena::entry(SlotId id) const noexcept {
    const PageId page = page_of(id);
    const unsigned c = pages_[page].size_class;
    return reinterpret_cast<Entry*>(base_ + page * kPageSize + kLayouts[c].first +
                                    index_of(id) * kSlotSizes[c]);
}

Slot& Arena::slot(SlotId id) const noexcept {
    return reinterpret_cast<Slot*>(base_ + page_of(id) * kPageSize)[index_of(id)];
}

SlotId Arena::id_of(const Entry* entry) const noexcept {
    const auto offset =
        static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(entry) - base_);
    const std::size_t page = offset / kPageSize;
    const unsigned c = pages_[page].size_class;
    const std::size_t index = (offset % kPageSize - kLayouts[c].first) / kSlotSizes[c];
    return slot_of(static_cast<PageId>(page), index);
}

void Arena::set_live(SlotId id, bool live) noexcept {
    auto& word = views_[page_of(id)].live[index_of(id) / 64];
    const std::uint64_t old = word.load(std::memory_order_relaxed);
    word.store(live ? old | bit_of(id) : old & ~bit_of(id), std::memory_order_release);
}

bool Arena::is_live(SlotId id) const noexcept {
    const auto& word = views_[page_of(id)].live[index_of(id) / 64];
    return (word.load(std::memory_order_relaxed) & bit_of(id)) != 0;
}

const Entry* Arena::entry_in_view(PageId page, unsigned size_class,
                                  std::size_t index) const noexcept {
    return reinterpret_cast<const Entry*>(base_ + page * kPageSize + kLayouts[size_class].first +
                                          index * kSlotSizes[size_class]);
}

}  // namespace steer::cache

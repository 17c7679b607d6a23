// The cache's memory: one block, cut into pages of 64 KiB, each page cut into slots of one size
// class.
//
// All pages start in a common stock. A class takes a page when it needs one, and keeps it until
// ask_back(). Then the page gives out no more slots. When its last slot is free, it can go to any
// class. Each slot has a small record for the cache writer (links of the eviction queue, place in
// the table). These records are at the page's start and inside the budget. So bookkeeping
// never touches a cache line that readers read.
//
// For one thread, except PageView, which a walk (walk.h) reads. Uses no heap after construction.
// Every operation is O(1), except taking the first slot of a page, which prepares all slots of the
// page.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer::cache {

// SlotId: page << 9 | index in the page.
inline constexpr SlotId kNoSlot = UINT32_MAX;
using PageId = std::uint32_t;
inline constexpr PageId kNoPage = UINT32_MAX;

// A slot's neighbours in a queue of entries (Sieve).
struct SlotLinks {
    SlotId newer = kNoSlot, older = kNoSlot;
};

struct Slot {
    SlotLinks of_instance, of_class;
    std::uint32_t place = 0;   // of the entry's key in the table (TableKey)
    std::uint32_t serial = 0;  // of the answer

    // A slot without an entry: the next free or retired slot.
    [[nodiscard]] SlotId& next() noexcept { return of_class.older; }
};
static_assert(sizeof(Slot) == 24);

inline constexpr std::size_t kPageSize = 65536;

// Bytes of a slot. Small classes differ by one or two cache lines; large ones are fractions of a
// page.
inline constexpr std::array<std::uint32_t, 16> kSlotSizes{
    128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 4032, 8128, 16320, 32704, 65472};
inline constexpr std::size_t kClasses = kSlotSizes.size();

// The part of a page's state that other threads may read, in one cache line. The cache writer
// writes it.
struct alignas(64) PageView {
    static constexpr std::uint8_t kNone = kClasses;
    // Slots with an entry that the hash table refers to. A bit is set (release) when the entry is
    // written. It is cleared a grace period before the memory is reused.
    std::array<std::atomic<std::uint64_t>, 7> live{};
    std::atomic<std::uint8_t> size_class{kNone};  // constant for a grace period after a read
};
static_assert(sizeof(PageView) == 64);

class Arena {
  public:
    // EAL must be initialized. Aborts with a message if there is no memory. Takes at least one
    // page.
    explicit Arena(std::size_t budget_bytes);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // The smallest class with slots of at least `bytes`; kClasses if there is none.
    static unsigned class_for(std::size_t bytes) noexcept;
    static std::size_t slots_per_page(unsigned size_class) noexcept;

    // Returns a free slot; kNoSlot if the class has none and can take no page.
    SlotId take(unsigned size_class) noexcept;
    void give_back(SlotId id) noexcept;

    [[nodiscard]] Entry* entry(SlotId id) const noexcept;
    [[nodiscard]] Slot& slot(SlotId id) const noexcept;
    [[nodiscard]] SlotId id_of(const Entry* entry) const noexcept;
    [[nodiscard]] static PageId page_of(SlotId id) noexcept;
    [[nodiscard]] static SlotId slot_of(PageId page, std::size_t index) noexcept;

    // Whether walks see the entry in this slot.
    void set_live(SlotId id, bool live) noexcept;
    [[nodiscard]] bool is_live(SlotId id) const noexcept;

    // Free slots and all slots of the class, without those of pages that were asked back.
    [[nodiscard]] bool can_grow() const noexcept { return stock_ != kNoPage; }
    [[nodiscard]] std::size_t free_slots(unsigned size_class) const noexcept {
        return classes_[size_class].free;
    }
    [[nodiscard]] std::size_t slots(unsigned size_class) const noexcept {
        return classes_[size_class].slots;
    }
    [[nodiscard]] unsigned size_class_of(PageId page) const noexcept {
        return pages_[page].size_class;
    }

    // A page of the class with only free slots; kNoPage if there is none.
    [[nodiscard]] PageId empty_page(unsigned size_class) const noexcept {
        return classes_[size_class].empty;
    }
    // Removes the page from its class. Its used slots stay valid until they are given back. Then
    // the page is empty and waits for a grace period.
    void ask_back(PageId page) noexcept;
    [[nodiscard]] bool belongs_to(PageId page, unsigned size_class) const noexcept;
    [[nodiscard]] bool was_asked_back(PageId page) const noexcept;
    // Whether empty pages wait after ask_back(); a walk may still read them. end_grace() moves the
    // pages that waited at begin_grace() to the stock.
    [[nodiscard]] bool pages_wait() const noexcept { return emptied_ != kNoPage; }
    void begin_grace() noexcept;
    void end_grace() noexcept;

    [[nodiscard]] std::size_t pages() const noexcept { return pages_.size(); }
    // Any thread. `size_class`: the value that the caller read from the view.
    [[nodiscard]] const PageView& view(PageId page) const noexcept { return views_[page]; }
    [[nodiscard]] const Entry* entry_in_view(PageId page, unsigned size_class,
                                             std::size_t index) const noexcept;

  private:
    struct Page {
        enum class State : std::uint8_t { stock, partial, full, empty, asked_back };
        PageId previous = kNoPage, next = kNoPage;  // in the list of its state
        SlotId first_free = kNoSlot;
        std::uint16_t free = 0, slots = 0;
        std::uint8_t size_class = 0;
        State state = State::stock;
    };
    struct SizeClass {
        PageId partial = kNoPage, empty = kNoPage;
        std::size_t free = 0;
        std::size_t slots = 0;
    };

    PageId* list_of(const Page& page) noexcept;
    void enlist(PageId id, Page::State state) noexcept;
    void delist(PageId id) noexcept;
    void grow(unsigned size_class) noexcept;

    std::uint8_t* base_ = nullptr;
    PageId stock_ = kNoPage, emptied_ = kNoPage, in_grace_ = kNoPage;  // chained by Page::next
    std::array<SizeClass, kClasses> classes_;
    std::vector<Page> pages_;
    std::unique_ptr<PageView[]> views_;
};

}  // namespace steer::cache

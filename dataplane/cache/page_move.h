// Decides which size class has more pages than it needs, and tracks the move of a page to another
// class.
//
// A class needs a page if it evicts because it has no free slot. Its turnover is its evictions per
// slot. A page moves from the class with the slowest turnover to a class that needs one and has a
// clearly faster turnover. So an unused answer lives about equally long in all classes. A page
// stays if most of its entries had hits since the last check.
//
// Used by the cache writer only. A move is a sequence of steps with bounded work, one step per
// turn.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/cache/arena.h"

namespace steer::cache {

// How often each class had no free slot, weighted towards the recent past.
class Pressure {
  public:
    void add(unsigned size_class) noexcept {
        ++wanted_[size_class];
        if (++total_ < kWindow) return;
        total_ = 0;
        for (std::uint32_t& w : wanted_)
            total_ += w /= 2;
    }

    // The class that gives a page to `needy`. No value: all other classes have a similar turnover.
    [[nodiscard]] std::optional<unsigned> donor(const Arena& arena, unsigned needy) const noexcept {
        std::optional<unsigned> best;
        for (unsigned c = 0; c < kClasses; ++c) {
            if (c == needy || arena.slots(c) == 0) continue;
            if (!best || slower(c, arena.slots(c), *best, arena.slots(*best))) best = c;
        }
        if (!best) return best;
        const std::size_t own = std::max(arena.slots(needy), Arena::slots_per_page(needy));
        return slower(*best, arena.slots(*best), needy, own + own / 4) ? best : std::nullopt;
    }

  private:
    static constexpr std::uint32_t kWindow = 4096;

    // Whether a's turnover is below b's.
    [[nodiscard]] bool slower(unsigned a, std::size_t slots_a, unsigned b,
                              std::size_t slots_b) const noexcept {
        return std::uint64_t{wanted_[a]} * slots_b < std::uint64_t{wanted_[b]} * slots_a;
    }

    std::array<std::uint32_t, kClasses> wanted_{};
    std::uint32_t total_ = 0;
};

struct PageMove {
    enum class Stage : std::uint8_t {
        none,
        scanning,  // counts the page's entries that had hits
        emptying,  // the page was asked back; its entries are dropped
        leaving,   // waits until all slots are given back and a grace period is over
    };
    Stage stage = Stage::none;
    PageId page = kNoPage;
    std::uint32_t next = 0;  // index in the page
    std::uint32_t live = 0, visited = 0;
    std::uint32_t rest = 0;  // requests for a page that are ignored before the next check
    PageId hand = 0;         // the next page to check, if it belongs to the donor class
};

}  // namespace steer::cache

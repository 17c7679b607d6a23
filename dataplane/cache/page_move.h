// Which size class has more pages than it needs, and how far a page's move to another is.
//
// A class is in need when it evicts for want of a slot; how often that happens for each of its slots is how fast its
// entries are turned over. A page goes from the class with the slowest turnover to one in need that turns over clearly
// faster, so that in the end an answer nobody asks for lives about as long in one class as in another.
// A page most of whose entries were asked for since the last look is let be.
//
// The cache writer's alone; a move goes through its stages in steps of bounded work, one step a turn.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/cache/arena.h"

namespace steer::cache {

// How often each class wanted a slot and had none, the recent past counting most.
class Pressure {
  public:
    void add(unsigned size_class) noexcept {
        ++wanted_[size_class];
        if (++total_ < kWindow) return;
        total_ = 0;
        for (std::uint32_t& w : wanted_)
            total_ += w /= 2;
    }

    // The class to take a page from for `needy`; nothing: all others need theirs as much.
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

    // Is a's turnover below b's?
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
        looking,   // how many of the page's entries were asked for
        emptying,  // the page was asked back, its entries are dropped
        leaving,   // until the last of them is given back and a grace period is over
    };
    Stage stage = Stage::none;
    PageId page = kNoPage;
    std::uint32_t next = 0;  // index in the page
    std::uint32_t live = 0, visited = 0;
    std::uint32_t rest = 0;  // calls for a page that are passed over before the next look
    PageId hand = 0;         // the next page to look at, if it is of the class that gives
};

}  // namespace steer::cache

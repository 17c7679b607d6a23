// An SPSC ring of records made of two CellRings. The small one stays in the pusher's L2 cache. The
// large one takes records while the small one is full. One large ring alone is slower: each lap
// fetches its lines from memory and evicts others.
//
// Records arrive in order. Before the pusher changes rings, it pushes an end mark into the one that
// it leaves; the popper changes there, too. The pusher returns to the small ring when that is empty,
// even if the large ring still has records.
#pragma once

#include <algorithm>

#include "dataplane/base/cell_ring.h"

namespace steer {

class RecordRing {
  public:
    static constexpr unsigned kSmallCells = 2'048;  // 128 KiB: 500 usual records

    // `cells`: of the large ring, a power of two and at least 16. The small one has at most a
    // quarter of that. EAL must be initialized. Aborts if there is no memory.
    explicit RecordRing(unsigned cells) : small_(std::min(kSmallCells, cells / 4)), large_(cells) {}

    // ---- the pusher, as with CellRing

    [[nodiscard]] void* reserve(unsigned cells) noexcept {
        if (uses_large_ && small_.is_empty()) uses_large_ = !large_.push_end();
        if (!uses_large_) [[likely]] {
            if (void* const record = small_.reserve(cells, kEndCells)) return record;
            if (!small_.push_end()) return nullptr;
            uses_large_ = true;
        }
        return large_.reserve(cells, kEndCells);
    }
    // What the next reserve() returns, if the pusher has published all records.
    void prefetch() const noexcept { (uses_large_ ? large_ : small_).prefetch(); }
    // In this order: the popper may only follow an end of the large ring to records that it sees.
    void publish() noexcept {
        small_.publish();
        large_.publish();
    }

    // ---- the popper

    // Calls `visit` as CellRing::for_each(), and returns the number of records. Reads each ring at
    // most twice, so it returns even if the pusher is as fast as `visit`.
    template <class Visit>
    unsigned for_each(Visit&& visit) {
        constexpr unsigned kMostTurns = 4;
        unsigned records = 0;
        for (unsigned i = 0; i < kMostTurns; ++i) {
            const CellRing::Read read = (reads_large_ ? large_ : small_).read(visit);
            records += read.records;
            if (!read.is_at_end) break;
            reads_large_ = !reads_large_;
        }
        return records;
    }

  private:
    static constexpr unsigned kEndCells = 1;  // kept free for an end mark

    CellRing small_, large_;
    bool uses_large_ = false;               // the pusher's
    alignas(64) bool reads_large_ = false;  // the popper's
};

}  // namespace steer

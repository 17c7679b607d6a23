// Visits all entries of the cache from a thread that is not a worker, without a delay for workers.
// The walk is a reader that is quiescent between pages.
//
// The walk visits an entry once if it exists from beginning to end. It visits one that is added or
// removed during the walk at most once. The cache writer frees no memory while a walk holds a page,
// so hold a page for a few milliseconds at most.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer::cache {

// Where a walk goes on later. An entry does not move while it is in the cache, so a walk in several
// parts visits it once, too.
struct WalkPlace {
    unsigned shard = 0;
    SlotId slot = 0;  // the first one that was not visited
    bool operator==(const WalkPlace&) const = default;
};

class Walk {
  public:
    struct Seen {
        SlotId slot;
        const Entry* entry;
    };

    // `reader` is this thread's number in the cache's QSBR variable.
    Walk(const Cache& cache, unsigned reader, WalkPlace from = {});
    ~Walk();
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    // The entries of the next page, valid until the next call. Empty at the end of the walk.
    std::span<const Seen> next();

    // The shard of the page that next() returned last.
    [[nodiscard]] unsigned shard() const { return shard_; }

    // Releases the page until the next call, for a caller that waits for a disk or a client.
    void let_go();

    // Waits until no reader can hold an entry that was dropped before. For a thread that holds no
    // page. Sleeps.
    static void wait_for_readers(const Cache& cache);

  private:
    const Cache& cache_;
    unsigned reader_;
    unsigned next_shard_, shard_;
    std::size_t page_;
    SlotId first_;  // of the first page
    bool online_ = false;
    std::vector<Seen> seen_;
};

}  // namespace steer::cache

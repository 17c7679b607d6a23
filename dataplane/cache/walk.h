// Visits every entry of the cache from a thread that is not a worker, without disturbing workers: a reader that is quiescent
// between pages.
//
// An entry that exists from beginning to end is visited once; one that is added or removed during the walk is visited at
// most once. The cache writer frees no memory while a page is held, so hold a page for a few milliseconds at most.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/cache/cache.h"

namespace steer::cache {

class Walk {
  public:
    struct Seen {
        SlotId slot;
        const Entry* entry;
    };

    // `reader` is this thread's number in the cache's QSBR variable.
    Walk(const Cache& cache, unsigned reader);
    ~Walk();
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    // The entries of the next page; valid until the next call. No value at the end.
    std::span<const Seen> next();

    // Releases the page until the next call, for a caller that waits for a disk or a client.
    void let_go();

    // Waits until no reader can hold an entry dropped earlier. For a thread that holds no page. Sleeps.
    static void wait_for_readers(const Cache& cache);

  private:
    const Cache& cache_;
    unsigned reader_;
    std::size_t page_ = 0;
    bool online_ = false;
    std::vector<Seen> seen_;
};

}  // namespace steer::cache

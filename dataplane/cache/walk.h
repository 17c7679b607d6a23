// Sees every entry of the cache from a thread that is no worker, without disturbing those: a reader that is quiescent
// between pages.
//
// An entry that is there from beginning to end is seen once; one that comes or goes meanwhile perhaps. The cache writer cannot
// free anything while a page is held, so whoever walks does not keep one for long (a few milliseconds).
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

    // `reader` is this thread's number in the cache's QSBR variable, which has room for it.
    Walk(const Cache& cache, unsigned reader);
    ~Walk();
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    // The entries of the next page; good until the next call. Nothing at the end.
    std::span<const Seen> next();

    // Holds nothing any more until the next call, for who has something to wait for: a disk, a client.
    void let_go();

    // Waits until no reader can hold what was dropped before. For a thread that holds no page. Sleeps.
    static void wait_for_readers(const Cache& cache);

  private:
    const Cache& cache_;
    unsigned reader_;
    std::size_t page_ = 0;
    bool online_ = false;
    std::vector<Seen> seen_;
};

}  // namespace steer::cache

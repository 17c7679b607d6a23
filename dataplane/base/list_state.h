// The state of a policy list's router as workers see it: shared words, one cache line per list.
//
// Only thread `routers` writes; workers read relaxed. A list is one `ros_address_list`, `ipset` or `nftset`
// plugin. A `ros_address_list` has one more list for each group of clients that only some of its routers
// serve. A ListId belongs to one stable name (the plugin's tag and its routers or sets) and lives as long
// as the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace steer {

using ListId = std::uint16_t;
inline constexpr std::size_t kMaxLists = 1024;

struct alignas(64) ListState {
    std::atomic<std::uint32_t> epoch{
        1};  // incremented when earlier knowledge of its rows is void (reboot, reconnect)
    std::atomic<bool> away{true};  // answers do not wait for its router
    // Claims that were refused. Incremented after the mark on the row board: a worker that reads it (acquire) before
    // the row board finds the mark. Claim words of rows that were only asked for hold it (claim_word.h).
    std::atomic<std::uint32_t> refusals{0};
    // Until when the row board may have a mark of the list; 0: never had one.
    std::atomic<std::uint32_t> marked_until_s{0};
    // Until when marks would have lasted that had to make room for others; 0: none.
    std::atomic<std::uint32_t> evicted_until_s{0};
};

static_assert(sizeof(ListState) == 64, "a list's word changes without the others' readers");

using ListStates = std::array<ListState, kMaxLists>;

}  // namespace steer

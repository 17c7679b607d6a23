// The state of a policy list's router as workers see it: shared words, one cache line per list.
//
// Only thread `routers` writes; workers read relaxed. A list is one `ros_address_list`, `ipset` or
// `nftset` plugin. If only some routers of a `ros_address_list` serve a group of clients, this
// group has a list of its own. A ListId belongs to one stable name (the plugin's tag and its
// routers or sets) and lives as long as the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace steer {

using ListId = std::uint16_t;
inline constexpr std::size_t kMaxLists = 1024;

struct alignas(64) ListState {
    std::atomic<std::uint32_t> epoch{
        1};  // incremented when what we know about its rows becomes invalid (reboot, reconnect)
    std::atomic<bool> away{true};  // true: answers do not wait for the list's router
    // Number of refused claims. `routers` increments it after it sets the mark on the row board. So
    // a worker that reads it (acquire) before the row board finds the mark. Claim words of
    // requested rows include it (claim_word.h).
    std::atomic<std::uint32_t> refusals{0};
    // The row board may have a mark of this list until then; 0: it never had one.
    std::atomic<std::uint32_t> marked_until_s{0};
    // The latest expiry of the marks that the row board evicted; 0: none was evicted.
    std::atomic<std::uint32_t> evicted_until_s{0};
};

static_assert(sizeof(ListState) == 64, "a list's word changes without the others' readers");

using ListStates = std::array<ListState, kMaxLists>;

}  // namespace steer

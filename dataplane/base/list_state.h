// What workers know of a policy list's router without asking: shared words, one line per list.
//
// Written by thread `routers` alone, read by workers, relaxed. A list is one
// `ros_address_list`, `ipset` or `nftset` plugin, and of the first kind one more for each group of clients that only some
// of its routers serve; its ListId is given once per stable name (the plugin's tag and routers, or sets) and lives as long
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
        1};  // bumped when what was known about its rows is void (reboot, reconnect)
    std::atomic<bool> away{true};  // its router is not to be waited for
};

static_assert(sizeof(ListState) == 64, "a list's word changes without the others' readers");

using ListStates = std::array<ListState, kMaxLists>;

}  // namespace steer

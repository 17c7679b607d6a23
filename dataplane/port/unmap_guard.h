// Prevents that memory is unmapped under a worker that reads it.
//
// DPDK's net_memif unmaps a peer's memory in the interrupt thread as soon as the peer disconnects. It first marks the
// device as disconnected, but a worker may have passed that check and be inside its burst. So before that thread unmaps,
// it waits for a grace period. This program's munmap() replaces libc's, because DPDK has no hook there.
#pragma once

struct rte_rcu_qsbr;

namespace steer {

// `qsbr`: the workers' variable; nullptr: no waiting. Not owned.
void guard_unmapping(rte_rcu_qsbr* qsbr) noexcept;

}  // namespace steer

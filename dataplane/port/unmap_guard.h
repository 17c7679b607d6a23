// Prevents that memory is unmapped while a worker reads it.
//
// DPDK's net_memif unmaps a peer's memory in the interrupt thread as soon as the peer disconnects.
// It first marks the device as disconnected. But a worker may have passed that check and be inside
// its burst. So that thread waits for a grace period before it unmaps. This program's munmap()
// replaces libc's, because DPDK has no hook there.
#pragma once

struct rte_rcu_qsbr;

namespace steer {

// `qsbr`: the workers' variable, not owned; nullptr: no waiting.
void guard_unmapping(rte_rcu_qsbr* qsbr) noexcept;

}  // namespace steer

// No memory is unmapped under a worker that reads it.
//
// DPDK's net_memif gives a peer's memory back in the interrupt thread as soon as the peer is gone. It says first that the
// device is not connected, but a worker may be past that check and inside its burst. So whatever that thread unmaps, it
// waits for a grace period before: this program's munmap() stands in front of libc's, as DPDK has no hook there.
#pragma once

struct rte_rcu_qsbr;

namespace steer {

// `qsbr`: what the workers report to; nullptr: nobody is waited for. Not owned.
void guard_unmapping(rte_rcu_qsbr* qsbr) noexcept;

}  // namespace steer

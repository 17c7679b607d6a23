#include "dataplane/base/memory_node.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace steer {
namespace {

constexpr int kMostNodes = 64;  // a word of the system call's mask

thread_local int node_now = kAnyNode;

// Pages that this thread is the first to touch: from that node while it has memory, else from others.
void prefer(int node) noexcept {
    const unsigned long mask = node >= 0 && node < kMostNodes ? 1UL << node : 0;
    const int policy = mask != 0 ? MPOL_PREFERRED : MPOL_DEFAULT;
    // (No effect in a container that forbids it.)
    (void)::syscall(SYS_set_mempolicy, policy, mask != 0 ? &mask : nullptr,
                    mask != 0 ? kMostNodes + 1 : 0);
}

}  // namespace

int memory_node() noexcept {
    return node_now;
}

OnNode::OnNode(int node) noexcept : before_(node_now) {
    if (node == kAnyNode || node == node_now) return;
    node_now = node;
    prefer(node);
}

OnNode::~OnNode() {
    if (node_now == before_) return;
    node_now = before_;
    prefer(before_);
}

}  // namespace steer

#include "dataplane/base/memory_node.h"

#include <linux/mempolicy.h>
#include <rte_malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace steer {
namespace {

thread_local int node_now = kAnyNode;

}  // namespace

int memory_node() noexcept {
    return node_now;
}

void* allocate_near(const char* name, std::size_t bytes, std::size_t alignment) noexcept {
    const auto align = static_cast<unsigned>(alignment);
    void* const memory = rte_malloc_socket(name, bytes, align, node_now);
    if (memory != nullptr || node_now == kAnyNode) return memory;
    return rte_malloc_socket(name, bytes, align, kAnyNode);
}

// (The kernel's count of the mask's bits is one too high.)
MemoryPolicy MemoryPolicy::of_thread() noexcept {
    MemoryPolicy one;
    if (::syscall(SYS_get_mempolicy, &one.mode_, one.nodes_.data(), kMostNodes + 1, nullptr, 0UL) !=
        0)
        return {};
    return one;
}

MemoryPolicy MemoryPolicy::preferring(int node) noexcept {
    MemoryPolicy one;
    const auto number = static_cast<unsigned>(node);
    if (node < 0 || number >= kMostNodes) return one;
    one.mode_ = MPOL_PREFERRED;
    one.nodes_[number / kWordBits] = 1UL << number % kWordBits;
    return one;
}

void MemoryPolicy::set() const noexcept {
    (void)::syscall(SYS_set_mempolicy, mode_, nodes_.data(), kMostNodes + 1);
}

OnNode::OnNode(int node) noexcept : before_(node_now) {
    if (node == kAnyNode || node == node_now) return;
    policy_before_ = MemoryPolicy::of_thread();
    node_now = node;
    MemoryPolicy::preferring(node).set();
}

OnNode::~OnNode() {
    if (!policy_before_) return;
    node_now = before_;
    policy_before_->set();
}

}  // namespace steer

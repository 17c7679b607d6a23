// The NUMA node on which a thread allocates what workers use.
//
// Set-up code declares `const OnNode here(node);`. Until its end, DPDK's memory that asks for memory_node() comes from that
// node, and so do pages of the heap that the thread is the first to touch. Without one, or on a machine with one node, DPDK and
// the kernel choose.
#pragma once

namespace steer {

inline constexpr int kAnyNode = -1;  // SOCKET_ID_ANY of DPDK

// The `socket` of DPDK's functions, for the calling thread.
[[nodiscard]] int memory_node() noexcept;

class OnNode {
  public:
    explicit OnNode(int node) noexcept;  // kAnyNode: as before
    ~OnNode();
    OnNode(const OnNode&) = delete;
    OnNode& operator=(const OnNode&) = delete;

  private:
    int before_;
};

}  // namespace steer

// The NUMA node on which a thread allocates what workers use.
//
// Set-up code declares `const OnNode here(node);`. Until its end, DPDK's memory that asks for memory_node() comes from that
// node, and so do pages of the heap that the thread is the first to touch. Without one, or on a machine with one node, DPDK and
// the kernel choose.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace steer {

inline constexpr int kAnyNode = -1;  // SOCKET_ID_ANY of DPDK

// The `socket` of DPDK's functions, for the calling thread.
[[nodiscard]] int memory_node() noexcept;
// Allocates DPDK's memory on memory_node(), or on another node if that has too little. Free it by
// rte_free(). nullptr: no node has enough.
[[nodiscard]] void* allocate_near(const char* name, std::size_t bytes,
                                  std::size_t alignment) noexcept;

// Where the kernel takes the pages from that a thread is the first to touch. A thread begins with the policy of the thread that
// made it. No effect in a container that forbids these system calls.
class MemoryPolicy {
  public:
    // Of the calling thread: what `numactl` or the service manager gave it, outside an OnNode.
    static MemoryPolicy of_thread() noexcept;
    // From that node while it has memory, else from others.
    static MemoryPolicy preferring(int node) noexcept;
    // For the calling thread.
    void set() const noexcept;

  private:
    static constexpr unsigned kMostNodes = 1024, kWordBits = 64;

    int mode_ = 0;  // with its flags
    std::array<unsigned long, kMostNodes / kWordBits> nodes_{};
};

class OnNode {
  public:
    explicit OnNode(int node) noexcept;  // kAnyNode: as before
    ~OnNode();
    OnNode(const OnNode&) = delete;
    OnNode& operator=(const OnNode&) = delete;

  private:
    int before_;
    std::optional<MemoryPolicy> policy_before_;  // none: this changes nothing
};

}  // namespace steer

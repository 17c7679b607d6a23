// The frames of one AF_XDP socket, and the mbuf pool over them. Mbuf i's buffer is always the same
// frame (pinned external buffer). So a kernel descriptor and an mbuf name the same memory.
//
// Memory is anonymous: reserved hugepages if there are enough, otherwise transparent ones, or small
// pages if the kernel gives none. A frame has one of three owners: the pool (free), the kernel
// (marked in its mbuf), or the worker (an mbuf). The kernel has frames to fill, to transmit, or to
// return.
#pragma once

#include <rte_mbuf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "matchers/arena.h"
#include "matchers/result.h"

namespace steer {

class Umem {
  public:
    // `frames` and `frame_bytes` are powers of two. One frame fewer is used (a mempool holds 2^n -
    // 1 best).
    static Result<std::unique_ptr<Umem>> build(const std::string& name, unsigned frames,
                                               unsigned frame_bytes);
    ~Umem();
    Umem(const Umem&) = delete;
    Umem& operator=(const Umem&) = delete;

    [[nodiscard]] rte_mempool* pool() const noexcept { return pool_; }
    [[nodiscard]] void* area() const noexcept { return area_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] unsigned frame_bytes() const noexcept { return 1U << shift_; }

    // `address`: from a descriptor; an offset in the area, anywhere in the frame.
    [[nodiscard]] rte_mbuf* mbuf_at(std::uint64_t address) const noexcept {
        return mbufs_[address >> shift_];
    }
    [[nodiscard]] std::uint64_t offset_in_frame(std::uint64_t address) const noexcept {
        return address & (frame_bytes() - 1);
    }
    // The address of the mbuf's frame; the mbuf must come from pool().
    [[nodiscard]] std::uint64_t address_of(const rte_mbuf* mbuf) const noexcept {
        return static_cast<std::uint64_t>(static_cast<const std::byte*>(mbuf->buf_addr) - area_);
    }

    // Marks a frame as owned by the kernel, so that a closed socket's frames can be reclaimed.
    static void give_to_kernel(rte_mbuf* mbuf) noexcept { mbuf->hash.usr = kWithKernel; }
    static void take_from_kernel(rte_mbuf* mbuf) noexcept { mbuf->hash.usr = 0; }
    // Returns all frames of the kernel to the pool. The socket must be closed. Any thread.
    void take_all_from_kernel();

  private:
    static constexpr std::uint32_t kWithKernel = 0x6b65726e;

    Umem(std::size_t bytes, unsigned shift) : bytes_(bytes), shift_(shift) {}
    bool map();

    matchers::Arena unreserved_;  // the area, if it is not in reserved hugepages
    std::byte* area_ = nullptr;
    std::size_t bytes_;
    unsigned shift_;
    rte_mempool* pool_ = nullptr;
    std::vector<rte_mbuf*> mbufs_;  // index: frame
};

}  // namespace steer

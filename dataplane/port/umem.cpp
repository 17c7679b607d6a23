#include "dataplane/port/umem.h"

#include <rte_errno.h>
#include <rte_lcore.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

#include "dataplane/base/memory_node.h"

namespace steer {

bool Umem::map() {
    // Of this size, whatever the default size is; parts of a page could not be unmapped.
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB |
                           std::countr_zero(kHugePage) << MAP_HUGE_SHIFT;
    void* const reserved = bytes_ % kHugePage == 0
                               ? mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, kFlags, -1, 0)
                               : MAP_FAILED;
    if (reserved != MAP_FAILED) {
        area_ = static_cast<std::byte*>(reserved);
        return true;
    }
    try {
        unreserved_ = matchers::Arena(bytes_);
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
        return false;
    }
    area_ = reinterpret_cast<std::byte*>(unreserved_.data());
    // Takes the pages now, on this thread's node (Linux 5.14). Before 5.14 a socket takes them when it
    // registers the area.
    (void)madvise(area_, bytes_, MADV_POPULATE_WRITE);
    return true;
}

Result<std::unique_ptr<Umem>> Umem::build(const std::string& name, unsigned frames,
                                          unsigned frame_bytes) {
    std::unique_ptr<Umem> umem(new Umem(std::size_t{frames} * frame_bytes,
                                        static_cast<unsigned>(std::countr_zero(frame_bytes))));
    if (!umem->map()) {
        return Error{name + ": no memory for " + std::to_string(umem->bytes_ >> 20) +
                     " MiB of packet frames: " + std::strerror(errno)};
    }
    rte_pktmbuf_extmem memory{};
    memory.buf_ptr = umem->area_;
    memory.buf_iova = RTE_BAD_IOVA;  // no DPDK device ever uses them
    memory.buf_len = umem->bytes_;
    memory.elt_size = static_cast<std::uint16_t>(frame_bytes);
    constexpr unsigned kMbufCache = 256;
    umem->pool_ = rte_pktmbuf_pool_create_extbuf(name.c_str(), frames - 1, kMbufCache, 0,
                                                 static_cast<std::uint16_t>(frame_bytes),
                                                 memory_node(), &memory, 1);
    if (umem->pool_ == nullptr) {
        return Error{name + ": no memory for " + std::to_string(frames) +
                     " packets: " + rte_strerror(rte_errno) + "; raise dataplane.memory"};
    }
    umem->mbufs_.resize(frames);
    rte_mempool_obj_iter(
        umem->pool_,
        [](rte_mempool*, void* self, void* object, unsigned) {
            auto& u = *static_cast<Umem*>(self);
            auto* mbuf = static_cast<rte_mbuf*>(object);
            u.mbufs_[u.address_of(mbuf) >> u.shift_] = mbuf;
        },
        umem.get());
    return umem;
}

void Umem::take_all_from_kernel() {
    for (rte_mbuf* mbuf : mbufs_) {
        if (mbuf == nullptr || mbuf->hash.usr != kWithKernel) continue;
        rte_pktmbuf_reset(mbuf);
        take_from_kernel(mbuf);
        void* object = mbuf;
        rte_mempool_generic_put(pool_, &object, 1, nullptr);  // not into this thread's cache
    }
}

Umem::~Umem() {
    rte_mempool_free(pool_);
    const bool is_reserved = area_ != nullptr && unreserved_.size() == 0;
    if (is_reserved) munmap(area_, bytes_);
}

}  // namespace steer

// Buffers that own the data of messages between threads: answers, queries and replies.
//
// Two mempools, with 2 KiB and 64 KiB of payload. Any thread may take and release buffers (lcores
// use their mempool cache). No thread waits for another, even if that one is preempted within
// take() or release() (tests/unit/cache/buffer_stop_test.cpp). Buffers have a reference count,
// because one upstream reply may answer parked queries of several workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/base/birth.h"
#include "dataplane/dns/answer.h"

struct rte_mempool;

namespace steer {

struct Buffer {
    std::atomic<std::uint32_t> references;
    std::uint32_t capacity;  // bytes of payload
    std::uint32_t length;    // bytes used
    std::uint32_t
        serial;  // of the answer in the buffer; the cache writer inserts a serial once; 0: none
    rte_mempool* pool;
    // Arrival of the upstream's reply, in ms; the answer's age counts from here. Negative: before
    // the machine was started.
    std::int64_t born_ms;
    std::uint16_t upstream;  // Upstream::id of the sender; kNoUpstream: another source

    static constexpr std::uint16_t kNoUpstream = UINT16_MAX;
    [[nodiscard]] Birth birth() const { return Birth::at_ms(born_ms); }
    [[nodiscard]] std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
    [[nodiscard]] const std::uint8_t* data() const {
        return reinterpret_cast<const std::uint8_t*>(this + 1);
    }
    [[nodiscard]] std::span<std::uint8_t> room() { return {data(), capacity}; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data(), length}; }
    [[nodiscard]] const dns::Answer& answer() const {
        return *reinterpret_cast<const dns::Answer*>(data());
    }
    // EDNS options of the upstream's reply that forward_edns0opt passes on. They follow the answer.
    [[nodiscard]] std::span<const std::uint8_t> options() const {
        const std::size_t size = answer().size();
        return length > size ? bytes().subspan(size) : std::span<const std::uint8_t>{};
    }
};
static_assert(sizeof(Buffer) == 40);

inline constexpr std::uint32_t kSmallBuffer = 2048;
// Enough for a 64 KiB message and its offset tables, even if all its records are addresses of 15
// bytes.
inline constexpr std::uint32_t kLargeBuffer = 65536 + 28 * 1024;

class BufferPools {
  public:
    // EAL must be initialized. Aborts with a message if there is no memory.
    BufferPools(unsigned small_count, unsigned large_count);
    ~BufferPools();
    BufferPools(const BufferPools&) = delete;
    BufferPools& operator=(const BufferPools&) = delete;

    // Returns a buffer with one reference and length 0, or nullptr if the pool is empty.
    Buffer* take(std::uint32_t payload_bytes) noexcept;
    [[nodiscard]] unsigned in_use() const;  // for leak checks

  private:
    rte_mempool* small_;
    rte_mempool* large_;
};

inline void hold(Buffer* b) noexcept {
    b->references.fetch_add(1, std::memory_order_relaxed);
}
void release(Buffer* b) noexcept;  // nullptr is allowed

}  // namespace steer

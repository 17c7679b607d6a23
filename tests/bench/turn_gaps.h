// When a worker that spins was away between two turns: the kernel or the hypervisor had its CPU.
//
// The worker's process notes the gaps in a file that it shares with a generator (memif_load.cpp). A
// turn of a full burst takes a few microseconds, so a gap is longer than any turn.
#pragma once

#include <fcntl.h>
#include <rte_cycles.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace steer::bench {

struct Gap {
    std::uint64_t begin, end;  // TSC
};

struct TurnGaps {
    static constexpr std::uint32_t kMost = 1U << 20;
    std::atomic<std::uint32_t> count;  // never more than kMost; the worker writes
    std::uint32_t padding;
    std::uint64_t shortest;  // cycles; 0: not set by the generator yet: nothing is noted
    Gap gaps[kMost];

    // Shares the file, which is made if need be; nullptr if it cannot.
    static TurnGaps* open(const char* path) {
        const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return nullptr;
        void* memory = MAP_FAILED;
        if (::ftruncate(file, sizeof(TurnGaps)) == 0)
            memory = ::mmap(nullptr, sizeof(TurnGaps), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        return memory == MAP_FAILED ? nullptr : static_cast<TurnGaps*>(memory);
    }

    // For the worker, once a turn. `last`: of the turn before; 0: there was none.
    void turn(std::uint64_t& last) noexcept {
        const std::uint64_t now = rte_rdtsc();
        const std::uint32_t n = count.load(std::memory_order_relaxed);
        if (last != 0 && shortest != 0 && now - last > shortest && n < kMost) [[unlikely]] {
            gaps[n] = {last, now};
            count.store(n + 1, std::memory_order_release);
        }
        last = now;
    }
};

}  // namespace steer::bench

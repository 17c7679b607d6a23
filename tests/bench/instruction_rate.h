// The CPU's peak rate of instructions, for `floor_own_l2` (floors.py): a loop of loads and stores
// that hit L1, independent additions and one predicted branch.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "bench/fail.h"
#include "bench/thread_time.h"

namespace steer::bench {

// Instructions per nanosecond of CPU time; the best of 200 runs of about 1.6 ms.
inline double highest_instruction_rate() {
#if defined(__x86_64__)
    constexpr unsigned kRuns = 200;
    constexpr std::uint64_t kIterations = 200'000, kInstructions = 20 * 10 + 2;
    alignas(64) std::array<std::uint64_t, 24> lines{};
    double best = 0;
    for (unsigned run = 0; run < kRuns; ++run) {
        std::uint64_t left = kIterations;
        const std::int64_t begin = thread_ns();
        asm volatile(
            "1:\n"
            ".rept 20\n"
            "mov (%[lines]), %%rax\n"
            "lea 1(%%r8), %%r8\n"
            "lea 1(%%r9), %%r9\n"
            "mov 64(%[lines]), %%rdx\n"
            "lea 1(%%r10), %%r10\n"
            "lea 1(%%r11), %%r11\n"
            "mov %%r8, 128(%[lines])\n"
            "lea 1(%%r12), %%r12\n"
            "lea 1(%%r13), %%r13\n"
            "lea 1(%%r14), %%r14\n"
            ".endr\n"
            "dec %[left]\n"
            "jnz 1b\n"
            : [left] "+r"(left)
            : [lines] "r"(lines.data())
            : "rax", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory", "cc");
        const auto ns = static_cast<double>(thread_ns() - begin);
        best = std::max(best, static_cast<double>(kIterations * kInstructions) / ns);
    }
    return best;
#else
    fail("the highest rate of instructions is measured on x86-64 only");
#endif
}

}  // namespace steer::bench

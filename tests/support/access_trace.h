// Which cache lines of given memory a piece of code reads and writes, by actor: pages are closed,
// every access to one faults, is noted, and is let through one instruction at a time. So it sees
// what a comparison of memory does not: reads, and writes that change nothing.
//
// One thread, x86-64 Linux. Some microseconds an access. Of an instruction that touches two lines of one page the
// first is noted. Stack, static data and thread-local memory are not verified.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace steer::test {

inline constexpr unsigned kTraceActors = 4;

struct TracedLine {
    std::uintptr_t address = 0;  // of its first byte; 0: none
    std::array<std::uint32_t, kTraceActors> reads{}, writes{};

    [[nodiscard]] unsigned writers() const;
    // One actor writes the line, and another one reads or writes it.
    [[nodiscard]] bool is_contended() const;
    [[nodiscard]] std::string text() const;  // "0x...: reads 1 2, writes 0 3"
};

class AccessTrace {
  public:
    // The C++ heap (malloc's, without mappings of its own) and all memory of DPDK.
    AccessTrace();
    ~AccessTrace();
    AccessTrace(const AccessTrace&) = delete;
    AccessTrace& operator=(const AccessTrace&) = delete;

    // Runs `work` as `actor`. It may not call the system with memory that is checked.
    template <class Work>
    void run(unsigned actor, Work&& work) {
        begin(actor);
        work();
        end();
    }
    [[nodiscard]] std::vector<TracedLine> lines() const;
    // "MP_name", "RG_name" ...: the DPDK zone that a line is in; "heap" otherwise.
    [[nodiscard]] static std::string place_of(std::uintptr_t address);

  private:
    static void begin(unsigned actor);
    static void end();
};

}  // namespace steer::test

// Instructions without an effect, by which a guest's program tells the plugin `shared_lines` what to count: a `nop` whose
// operand is a word.
#pragma once

#include <cstdint>
#include <cstring>

namespace steer::cores {

// Upper half of the operand; the lower half is the word.
inline constexpr std::uint32_t kMarker = 0x5d430000;

enum Word : std::uint32_t {
    kEnter = 1,     // this CPU is a core from here on ...
    kLeave = 2,     // ... to here
    kStart = 3,     // no core has anything in its cache
    kBegin = 0x10,  // + number of the operation: what cores do from here on is counted for it ...
    kEnd = 0x20,    // ... to here
};

// nopl OPERAND(%rax,%rax,1)
inline constexpr std::uint8_t kNop[4] = {0x0f, 0x1f, 0x84, 0x00};

template <std::uint32_t word>
inline void mark() {
#if defined(__x86_64__)
    asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" ::"i"(kMarker | word) : "memory");
#endif
}

// The word of an instruction; 0: it is no marker.
inline std::uint32_t marker_word(const void* instruction, std::size_t size) {
    if (size != 8 || std::memcmp(instruction, kNop, sizeof kNop) != 0) return 0;
    std::uint32_t operand;
    std::memcpy(&operand, static_cast<const std::uint8_t*>(instruction) + sizeof kNop,
                sizeof operand);
    return (operand & 0xffff0000) == kMarker ? operand & 0xffff : 0;
}

}  // namespace steer::cores

#include "dataplane/forward/chacha_random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace steer::forward {
namespace {

constexpr unsigned kRounds = 12;

// A row of the state: four quarter rounds at a time.
using Row = std::uint32_t __attribute__((vector_size(16)));

template <int Bits>
Row rotated(Row row) {
    return row << Bits | row >> (32 - Bits);
}

void quarter_rounds(Row& a, Row& b, Row& c, Row& d) {
    a += b;
    d = rotated<16>(d ^ a);
    c += d;
    b = rotated<12>(b ^ c);
    a += b;
    d = rotated<8>(d ^ a);
    c += d;
    b = rotated<7>(b ^ c);
}

void fill_from_system(std::span<std::uint32_t> words) {
    auto* at = reinterpret_cast<char*>(words.data());
    std::size_t left = words.size_bytes();
    while (left > 0) {
        const auto n = ::getrandom(at, left, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            std::fprintf(stderr, "the system gives no random numbers (getrandom: %s)\n",
                         std::strerror(errno));
            std::abort();
        }
        at += n;
        left -= static_cast<std::size_t>(n);
    }
}

}  // namespace

ChaChaState chacha_block(const ChaChaState& in, unsigned rounds) noexcept {
    std::array<Row, 4> rows;
    static_assert(sizeof rows == sizeof in);
    std::memcpy(rows.data(), in.data(), sizeof in);
    auto [a, b, c, d] = rows;
    for (unsigned round = 0; round < rounds; round += 2) {
        quarter_rounds(a, b, c, d);  // the columns, then the diagonals
        b = __builtin_shufflevector(b, b, 1, 2, 3, 0);
        c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
        d = __builtin_shufflevector(d, d, 3, 0, 1, 2);
        quarter_rounds(a, b, c, d);
        b = __builtin_shufflevector(b, b, 3, 0, 1, 2);
        c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
        d = __builtin_shufflevector(d, d, 1, 2, 3, 0);
    }
    rows = {rows[0] + a, rows[1] + b, rows[2] + c, rows[3] + d};
    ChaChaState out;
    std::memcpy(out.data(), rows.data(), sizeof out);
    return out;
}

ChaChaRandom::ChaChaRandom(std::uint64_t seed)
    : state_{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574} {  // "expand 32-byte k"
    if (seed == 0) {
        fill_from_system(std::span{state_}.subspan(4, 8));
    } else {
        state_[4] = static_cast<std::uint32_t>(seed);
        state_[5] = static_cast<std::uint32_t>(seed >> 32);
    }
}

std::uint32_t ChaChaRandom::next() noexcept {
    if (used_ == block_.size()) {
        block_ = chacha_block(state_, kRounds);
        if (++state_[12] == 0) ++state_[13];
        used_ = 0;
    }
    return block_[used_++];
}

std::uint32_t ChaChaRandom::below(std::uint32_t n) noexcept {
    // Multiply and shift, drawing again in the uneven remainder, so that all values are equally likely.
    const std::uint32_t uneven = (0U - n) % n;
    for (;;) {
        const std::uint64_t wide = std::uint64_t{next()} * n;
        if (static_cast<std::uint32_t>(wide) >= uneven)
            return static_cast<std::uint32_t>(wide >> 32);
    }
}

}  // namespace steer::forward

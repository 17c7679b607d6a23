#include "dataplane/forward/chacha_random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace steer::forward {
namespace {

constexpr unsigned kRounds = 12;

void quarter_round(ChaChaState& s, unsigned a, unsigned b, unsigned c, unsigned d) {
    s[a] += s[b];
    s[d] = std::rotl(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = std::rotl(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = std::rotl(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = std::rotl(s[b] ^ s[c], 7);
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
    ChaChaState s = in;
    for (unsigned round = 0; round < rounds; round += 2) {
        quarter_round(s, 0, 4, 8, 12);
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15);
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < s.size(); ++i)
        s[i] += in[i];
    return s;
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

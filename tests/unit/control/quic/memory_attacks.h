// Frames with which a client makes a connection hold as much as it can, for few bytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "client.h"

namespace steer::quic::test {

// RFC 9000 16.
inline void put_number(Bytes& out, std::uint64_t number) {
    const unsigned width = number < 1U << 6 ? 1 : number < 1U << 14 ? 2 : 4;
    constexpr std::uint8_t kPrefixes[] = {0, 0x00, 0x40, 0, 0x80};
    for (unsigned i = width; i-- > 0;)
        out.push_back(static_cast<std::uint8_t>(number >> 8 * i));
    out[out.size() - width] |= kPrefixes[width];
}

// One byte of a stream, behind a hole.
inline void put_piece(Bytes& out, std::uint64_t stream, std::uint64_t offset) {
    constexpr std::uint8_t kWithOffsetAndLength = 0x0e;
    out.push_back(kWithOffsetAndLength);
    put_number(out, stream);
    put_number(out, offset);
    put_number(out, 1);
    out.push_back('x');
}

// One byte of a handshake, behind a hole.
inline void put_crypto_piece(Bytes& out, std::uint64_t offset) {
    constexpr std::uint8_t kCrypto = 0x06;
    out.push_back(kCrypto);
    put_number(out, offset);
    put_number(out, 1);
    out.push_back('x');
}

inline constexpr std::size_t kForged = 1'100;  // bytes of frames in a datagram

// `send` gets frames for one datagram after the other: `pieces` of each of `streams`, each behind a
// hole, until it returns false.
template <class Send>
void send_holes(unsigned streams, unsigned pieces, Send send) {
    Bytes frames;
    for (unsigned piece = 0; piece < pieces; ++piece) {
        for (unsigned stream = 0; stream < streams; ++stream) {
            put_piece(frames, 4 * stream, 1 + 2 * piece);
            if (frames.size() < kForged) continue;
            if (!send(frames)) return;
            frames.clear();
        }
    }
    if (!frames.empty()) (void)send(frames);
}

}  // namespace steer::quic::test

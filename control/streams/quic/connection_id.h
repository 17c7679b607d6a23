// A connection id (RFC 9000 5.1).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "matchers/fold_product.h"

namespace steer::quic {

struct ConnectionId {
    static constexpr std::size_t kMost = 20;  // bytes, in version 1
    // Of our ids. The first byte modulo the number of threads is the thread (quic_sockets.h).
    static constexpr std::size_t kOwn = 16;

    std::array<std::uint8_t, kMost> bytes{};
    std::uint8_t length = 0;

    ConnectionId() = default;
    explicit ConnectionId(std::span<const std::uint8_t> from)
        : length(static_cast<std::uint8_t>(std::min(from.size(), kMost))) {
        std::copy_n(from.begin(), length, bytes.begin());
    }
    [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes.data(), length}; }
    friend bool operator==(const ConnectionId&, const ConnectionId&) = default;
};

// Ours are random, and a client chooses that of its first packet: keyed by a secret of the thread.
struct ConnectionIdHash {
    std::uint64_t secret = 0;
    std::size_t operator()(const ConnectionId& id) const noexcept {
        std::uint64_t words[3] = {};
        std::memcpy(words, id.bytes.data(), id.bytes.size());
        std::uint64_t mixed = secret ^ id.length;
        for (const std::uint64_t word : words)
            mixed = matchers::fold_product(mixed ^ word, 0x9e3779b97f4a7c15);
        return static_cast<std::size_t>(mixed);
    }
};

}  // namespace steer::quic

// Packets outside of a connection: what a datagram is for, and the answers that need no state.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/streams/quic/connection.h"
#include "control/streams/quic/connection_id.h"
#include "control/streams/quic/quic_path.h"

namespace steer::quic {

// The secrets of the answers without state, 32 random bytes each. The daemon makes them at its
// start, so a process that is started again has the same.
struct QuicSecrets {
    std::array<std::uint8_t, 32> tokens{};  // Retry, and tokens for later connections
    std::array<std::uint8_t, 32> resets{};
};

// The head of a datagram's first packet.
struct DatagramHead {
    enum class Kind : std::uint8_t {
        bad,            // not QUIC
        other_version,  // answered with Version Negotiation
        long_header,
        short_header
    };
    Kind kind = Kind::bad;
    std::uint32_t version = 0;
    ConnectionId destination, source;
};
DatagramHead read_head(std::span<const std::uint8_t> datagram);

// A packet that may begin a connection: Initial, with its token. No value: it may not.
struct FirstPacket {
    std::uint32_t version = 0;
    ConnectionId destination, source;
    std::span<const std::uint8_t> token;
};
std::optional<FirstPacket> read_first(std::span<const std::uint8_t> datagram);

// What a token of a first packet proves.
struct TokenProof {
    enum class Kind : std::uint8_t {
        none,     // there is none, or one that proves nothing
        invalid,  // of a Retry, and wrong: the connection is refused (RFC 9000 8.1.3)
        address   // the client gets packets at this address
    };
    Kind kind = Kind::none;
    std::optional<ConnectionId> original_destination;  // of a Retry
};
TokenProof judge_token(const FirstPacket& packet, const QuicPath& path, const QuicSecrets& secrets,
                       Nanoseconds wall_now);

// Each is one datagram; empty: it cannot be made. `own`: the new id in a Retry.
std::vector<std::uint8_t> retry(const FirstPacket& packet, const QuicPath& path,
                                const ConnectionId& own, const QuicSecrets& secrets,
                                Nanoseconds wall_now);
// Refuses a connection: `code` of RFC 9000 20.1.
std::vector<std::uint8_t> refusal(const FirstPacket& packet, std::uint64_t code);
inline constexpr std::uint64_t kConnectionRefused = 0x2, kInvalidToken = 0xb;
std::vector<std::uint8_t> version_negotiation(const DatagramHead& head, std::uint8_t random);
// At most as long as `datagram`, and shorter than it by one byte or more.
std::vector<std::uint8_t> stateless_reset(std::span<const std::uint8_t> datagram,
                                          const DatagramHead& head, const QuicSecrets& secrets,
                                          std::span<const std::uint8_t> random);
// The token by which a client knows the reset of this id.
std::array<std::uint8_t, 16> reset_token(const ConnectionId& id, const QuicSecrets& secrets);
// For a client that comes again (NEW_TOKEN).
std::vector<std::uint8_t> later_token(const QuicPath& path, const QuicSecrets& secrets,
                                      Nanoseconds wall_now);

}  // namespace steer::quic

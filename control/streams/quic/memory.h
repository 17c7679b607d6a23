// The memory that steerdns-quic may have, and what a connection costs.
//
// What it takes for connections is counted (memory_account.h), and has a limit that follows from the
// machine. steerdnsd knows the machine's memory, and tells the process. The limit of its data
// (RLIMIT_DATA) is above that, as a last resort: at that one, the process ends with all connections.
//
// The constants of a connection are measured. memory_worst_test.cpp holds them for the versions of the
// libraries that it is built with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace steer::quic {

// Objects and places in lists of a connection, and its keys; an id by which the peer reaches it.
inline constexpr std::size_t kOwnBytes = 8 << 10;
inline constexpr std::size_t kIdBytes = 128;
// A session of GnuTLS, and for each byte of its messages: buffers, transcript, certificates. A server
// frees it after the handshake.
inline constexpr std::size_t kTlsBytes = 28 << 10;
inline constexpr std::size_t kTlsPerByte = 3;
// A connection of DNS over QUIC that has not asked. It needs more during its handshake.
inline constexpr std::size_t kIdleBytes = 80 << 10;
inline constexpr std::size_t kNewBytes = 128 << 10;
// Connections below it are closed only if they have no query.
inline constexpr std::size_t kLawfulBytes = 192 << 10;

// Of a connection, at most: answers that are not acknowledged, and its streams.
inline constexpr std::size_t kMostOfConnection = 3 << 19;
// A byte of a stream behind a hole takes 25 KB in ngtcp2.
inline constexpr std::size_t kMostOfStream = 24 << 10;
[[nodiscard]] constexpr std::size_t most_of_connection(std::uint64_t streams) {
    return kMostOfConnection + static_cast<std::size_t>(streams) * kMostOfStream;
}
// Of a connection to an upstream: twice the window of its answers.
inline constexpr std::size_t kMostOfUpstream = 2 << 20;

// Libraries and channels; of each thread: buffers of datagrams and messages, lists of clients. Both
// are not counted.
inline constexpr std::uint64_t kOtherBytes = std::uint64_t{6} << 20;
inline constexpr std::uint64_t kThreadBytes = std::uint64_t{4} << 20;
// Addresses that a thread reserves for its stack and its heap, and that count as data.
inline constexpr std::uint64_t kThreadData = std::uint64_t{16} << 20;
// What one datagram may make a connection take.
inline constexpr std::uint64_t kThreadReserve = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kBaseBytes = std::uint64_t{16} << 20;
inline constexpr std::uint64_t kLeastBytes = std::uint64_t{16} << 20;

struct Memory {
    std::uint64_t bytes;    // counted, at most
    std::uint64_t reserve;  // the part of them that connections of clients do not fill
    std::uint64_t data;     // RLIMIT_DATA
    std::uint32_t connections;
};

// `total`: bytes that the machine or the control group has. The process may use a quarter of them,
// and kBaseBytes.
[[nodiscard]] constexpr Memory memory_of(std::uint64_t total, unsigned threads) {
    const std::uint64_t part = total / 4 + kBaseBytes,
                        others = kOtherBytes + threads * kThreadBytes;
    const std::uint64_t rest = part > others ? part - others : 0;
    // The heap needs space between blocks.
    const std::uint64_t bytes = std::max(kLeastBytes, rest - rest / 16);
    const std::uint64_t reserve =
        std::max<std::uint64_t>(bytes / 16, std::min(bytes / 4, threads * kThreadReserve));
    const std::uint64_t connections = (bytes - reserve) / kIdleBytes;
    return {bytes, reserve, bytes + bytes / 4 + others + threads * kThreadData,
            static_cast<std::uint32_t>(std::min<std::uint64_t>(connections, UINT32_MAX))};
}

// The part of a server that may have `wanted` of `sum` connections, of `most` in all. At least 1.
[[nodiscard]] constexpr std::uint32_t part_of_connections(std::uint32_t wanted, std::uint64_t sum,
                                                          std::uint32_t most) {
    if (sum <= most) return wanted;
    return static_cast<std::uint32_t>(
        std::max<std::uint64_t>(1, std::uint64_t{wanted} * most / sum));
}

}  // namespace steer::quic

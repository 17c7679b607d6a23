// The memory that steerdns-quic may have, and how many connections that holds.
//
// What is held for clients has a bound of its own (QuicServer::kMostHeld a thread). So the number
// of connections is what is left to limit: at the limit of its data, the process would end, and
// with it the connections of all clients. steerdnsd knows the machine's memory, and tells both.
#pragma once

#include <algorithm>
#include <cstdint>

namespace steer::quic {

// Of the heap, for a connection that asked once and is idle: 88 KB were measured with up to 9,000
// of them (`tools/bench scale`), and the heap needs space between them.
inline constexpr std::uint64_t kBytesPerConnection = std::uint64_t{112} << 10;
inline constexpr std::uint32_t kLeastConnections = 1024;
// Libraries, stacks, sockets, connections to upstreams.
inline constexpr std::uint64_t kOtherBytes = std::uint64_t{128} << 20;
inline constexpr std::uint64_t kHeldPerThread = std::uint64_t{128} << 20;

struct Memory {
    std::uint64_t bytes;  // of the process's data (RLIMIT_DATA)
    std::uint32_t connections;
};

// `total`: bytes that the machine or the control group has. The process may use a quarter of them,
// but at least what kLeastConnections need.
[[nodiscard]] constexpr Memory memory_of(std::uint64_t total, unsigned threads) {
    const std::uint64_t others = kOtherBytes + threads * kHeldPerThread;
    const std::uint64_t for_connections =
        std::max(total / 4, others + kLeastConnections * kBytesPerConnection) - others;
    const std::uint64_t connections = for_connections / kBytesPerConnection;
    return {others + for_connections,
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

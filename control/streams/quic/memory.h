// The memory that steerdns-quic may have, and how many connections that holds.
//
// What is held for clients has a bound of its own (QuicServer::kMostHeld a thread). So the number
// of connections is what is left to limit: at the limit of its data, the process would end, and
// with it the connections of all clients.
#pragma once

#include <cstdint>

namespace steer::quic {

// Bytes of data: a quarter of the machine's RAM, at least kLeastMemory.
inline constexpr std::uint64_t kLeastMemory = std::uint64_t{1} << 30;
[[nodiscard]] std::uint64_t most_memory();

// Of the heap, for one that asked once and is idle: 88 KB were measured with up to 9,000 of them
// (`tools/bench scale`), and the heap needs space between them.
inline constexpr std::uint64_t kBytesPerConnection = std::uint64_t{112} << 10;
// Libraries, stacks, sockets, connections to upstreams.
inline constexpr std::uint64_t kOtherBytes = std::uint64_t{128} << 20;
inline constexpr std::uint64_t kHeldPerThread = std::uint64_t{128} << 20;

// At least 1.
[[nodiscard]] std::uint32_t most_connections(std::uint64_t memory, unsigned threads);

// The part of a server that may have `wanted` of `sum` connections, of `most` in all. At least 1.
[[nodiscard]] std::uint32_t part_of_connections(std::uint32_t wanted, std::uint64_t sum,
                                                std::uint32_t most);

}  // namespace steer::quic

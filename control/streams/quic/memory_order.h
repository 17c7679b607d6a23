// Which connections are closed when the memory of the process is used.
//
// Only those that hold more than a lawful one are judged. The network whose connections hold most
// above that comes first, with its worst connection, until enough is free. So a network of many
// phones loses nothing while a few others hold much, and one stranger does not speak for its network.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace steer::quic {

struct HeavyConnection {
    std::uint64_t number = 0;
    std::uint64_t network = 0;  // client_key() of its client
    std::size_t bytes = 0;      // above a lawful connection's
};

// Connections to close, in that order: as many as free `bytes`, or all.
[[nodiscard]] std::vector<std::uint64_t> worst_first(std::vector<HeavyConnection> heavy,
                                                     std::uint64_t bytes);

}  // namespace steer::quic

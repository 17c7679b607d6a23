// Frontends: where queries arrive, and their entries of the program (Snapshot::entries).
//
// Over UDP, a frontend is an address and a port. It may receive datagrams in frames of a port or
// from the kernel. Over TCP it is a server, over HTTP a path of a server; `streams` knows its
// number, which survives reloads. Used only if there are several entries.
#pragma once

#include <cstdint>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer {

inline constexpr std::size_t kMaxEntries = 32;

struct Frontends {
    struct Datagrams {
        IpAddress address;  // "::" means all of both families; 0.0.0.0 means all of IPv4
        std::uint16_t port;
        std::uint8_t entry;
    };
    std::vector<Datagrams> datagrams;   // single addresses first, then 0.0.0.0, then ::
    std::vector<std::uint8_t> streams;  // entries by InjectedQuery::frontend

    // Ports answer on all service addresses. An address without a frontend uses the first frontend
    // with that port, or else entry 0.
    [[nodiscard]] std::uint8_t of_datagram(const IpAddress& address,
                                           std::uint16_t port) const noexcept;
    [[nodiscard]] std::uint8_t of_stream(std::uint16_t frontend) const noexcept {
        return frontend < streams.size() ? streams[frontend] : std::uint8_t{0};
    }
};

}  // namespace steer

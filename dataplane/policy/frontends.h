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

// What a listener does with DNS cookies (stages/cookies.h).
enum class CookieMode : std::uint8_t { off, on, required_under_load };

struct Frontends {
    struct Datagrams {
        IpAddress address;  // "::" means all of both families; 0.0.0.0 means all of IPv4
        std::uint16_t port;
        std::uint8_t entry;
        CookieMode cookies = CookieMode::on;
    };
    std::vector<Datagrams> datagrams;   // single addresses first, then 0.0.0.0, then ::
    std::vector<std::uint8_t> streams;  // entries by InjectedQuery::frontend

    CookieMode cookies = CookieMode::on;  // of all, unless they differ
    bool cookies_differ = false;
    bool require_cookies = false;  // some require them under load

    // Sets the three members above. Call it when `datagrams` is complete.
    void compare_cookies() noexcept;
    // Over TCP, `port` may be a port without a frontend. Then the frontend with the address
    // decides, or else the first one.
    [[nodiscard]] CookieMode cookies_of(const IpAddress& address,
                                        std::uint16_t port) const noexcept {
        return cookies_differ ? cookies_by_address(address, port) : cookies;
    }

    // Ports answer on all service addresses. An address without a frontend uses the first frontend
    // with that port, or else entry 0.
    [[nodiscard]] std::uint8_t of_datagram(const IpAddress& address,
                                           std::uint16_t port) const noexcept;
    [[nodiscard]] std::uint8_t of_stream(std::uint16_t frontend) const noexcept {
        return frontend < streams.size() ? streams[frontend] : std::uint8_t{0};
    }

  private:
    [[nodiscard]] const Datagrams* find(const IpAddress& address,
                                        std::uint16_t port) const noexcept;
    [[nodiscard]] CookieMode cookies_by_address(const IpAddress& address,
                                                std::uint16_t port) const noexcept;
};

}  // namespace steer

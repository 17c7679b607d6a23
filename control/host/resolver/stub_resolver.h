// Resolves a name to addresses by queries to given resolvers: over UDP, and over TCP after
// truncation.
//
// It does not use the system's resolver, because this machine may be its own resolver, which does
// not answer before we serve. IPv4 addresses are first in the result. If a resolver fails (no
// answer, SERVFAIL, REFUSED), the next one is tried. An answer that the name does not exist, or has
// no address, is final.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::resolver {

struct Resolver {
    IpAddress address;
    std::uint16_t port = 53;
    bool operator==(const Resolver&) const = default;
};

struct Addresses {
    std::vector<IpAddress> found;  // empty: no such name, or no address
    bool answered = false;         // by any resolver
    std::uint32_t ttl_s = 0;       // of the answer
};

struct AskOptions {
    bool v4 = true, v6 = true;  // the queried families; at least one
    // Timeout of one query to one resolver, in the first and in the second round.
    std::array<std::chrono::milliseconds, 2> patience{std::chrono::milliseconds(1'000),
                                                      std::chrono::milliseconds(3'000)};
    // Prepares a socket to that address. Returns false if that is not possible.
    std::function<bool(int socket, const IpAddress& to)> prepare = {};
};

using Deadline = std::chrono::steady_clock::time_point;

boost::asio::awaitable<Addresses> ask(std::string name, std::vector<Resolver> resolvers,
                                      Deadline deadline, AskOptions options = {});

// `nameserver` lines of a resolv.conf(5).
std::vector<Resolver> system_resolvers(const std::string& path = "/etc/resolv.conf");

// A resolver's reply to a question for `type`.
struct ResolverReply {
    enum class What : std::uint8_t { answer, cut_off, nothing } what = What::nothing;
    std::vector<IpAddress> addresses;
    std::uint32_t ttl_s = 0;  // of the whole answer
};
// Pure: reads a reply to the question `name` (wire form) with this id.
ResolverReply read_reply(std::span<const std::uint8_t> message, std::uint16_t id,
                         std::span<const std::uint8_t> name, std::uint16_t type);

}  // namespace steer::resolver

// The addresses of a name, asked of resolvers that we choose: over UDP, and over TCP what does not fit.
//
// Not the system's resolver: this machine may be its own, and then nobody would answer before we serve. IPv4 addresses
// come first. A resolver that fails (no answer, SERVFAIL, REFUSED) gives way to the next; one that says that there is no
// such name, or that it has no address, is believed.
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
    std::vector<IpAddress> found;  // empty: there is no such name, or it has none
    bool answered = false;         // by anybody
    std::uint32_t ttl_s = 0;       // of what was said
};

struct AskOptions {
    bool v4 = true, v6 = true;  // what is asked for; one at least
    // How long one question to one resolver may take, in the first round over all and in the second.
    std::array<std::chrono::milliseconds, 2> patience{std::chrono::milliseconds(1'000),
                                                      std::chrono::milliseconds(3'000)};
    // What a socket needs before it is used, towards that address; false: it cannot be had.
    std::function<bool(int socket, const IpAddress& to)> prepare = {};
};

using Deadline = std::chrono::steady_clock::time_point;

boost::asio::awaitable<Addresses> ask(std::string name, std::vector<Resolver> resolvers,
                                      Deadline deadline, AskOptions options = {});

// `nameserver` lines of a resolv.conf(5).
std::vector<Resolver> system_resolvers(const std::string& path = "/etc/resolv.conf");

// What a resolver said to a question for `type`.
struct Said {
    enum class What : std::uint8_t { answer, cut_off, nothing } what = What::nothing;
    std::vector<IpAddress> addresses;
    std::uint32_t ttl_s = 0;  // of the whole answer
};
// Pure: reads a reply to the question `name`, in wire form, with this id.
Said read_reply(std::span<const std::uint8_t> message, std::uint16_t id,
                std::span<const std::uint8_t> name, std::uint16_t type);

}  // namespace steer::resolver

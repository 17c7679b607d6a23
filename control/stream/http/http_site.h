// What an HTTP listener serves, and whom it believes (Service).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::stream {

struct HttpSite {
    std::vector<std::string> paths;
    std::string client_header;  // whose value names the client, in lower case; empty: none does
    // Who is believed in that, besides loopback: HTTP proxies in front of us.
    matchers::PrefixSet trusted{};
    std::vector<std::uint16_t>
        frontends{};  // of each path (dataplane/policy/frontends.h); fewer: frontend 0

    [[nodiscard]] std::uint16_t frontend_of(std::size_t path) const {
        return path < frontends.size() ? frontends[path] : std::uint16_t{0};
    }
    [[nodiscard]] bool trusts(const IpAddress& peer) const {
        return !client_header.empty() && (peer.is_loopback() || trusted.contains(peer));
    }
    // The client in the header's value: "203.0.113.7", or as X-Forwarded-For has it, "client, proxy,
    // proxy", each added behind by the next: the last that is none of the trusted ones. Ports and
    // brackets are passed over. Nothing: that is no address.
    [[nodiscard]] std::optional<IpAddress> client_in(std::string_view value) const;
};

}  // namespace steer::stream

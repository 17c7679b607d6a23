// The paths of an HTTP listener, and the proxies that it trusts (Service).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/http/doh_request.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::stream {

struct HttpSite {
    std::vector<ServedPath> paths;
    std::string client_header;  // the header that names the client, in lower case; empty: none
    // Trusted HTTP proxies, in addition to loopback.
    matchers::PrefixSet trusted{};
    std::string alternative{};  // of Alt-Svc (RFC 7838); empty: none
    std::vector<std::uint16_t>
        frontends{};  // one per path (dataplane/policy/frontends.h); missing ones: frontend 0

    [[nodiscard]] std::uint16_t frontend_of(std::size_t path) const {
        return path < frontends.size() ? frontends[path] : std::uint16_t{0};
    }
    [[nodiscard]] bool trusts(const IpAddress& peer) const {
        return !client_header.empty() && (peer.is_loopback() || trusted.contains(peer));
    }
    // The client in the header's value: "203.0.113.7", or the form of X-Forwarded-For, "client,
    // proxy, proxy", to which each proxy appends. The result is the last address that is not a
    // trusted proxy. Ports and brackets are ignored. No value: not an address.
    [[nodiscard]] std::optional<IpAddress> client_in(std::string_view value) const;
};

}  // namespace steer::stream

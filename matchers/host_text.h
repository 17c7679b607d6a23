// A host as text, before its port. Set-up only.
#pragma once

#include <string>
#include <string_view>

namespace steer::matchers {

// The form used before ":PORT" (RFC 3986 3.2.2): an IPv6 address in brackets; names and IPv4
// addresses unchanged.
inline std::string bracketed(std::string_view host) {
    const bool is_v6 = host.find(':') != std::string_view::npos;
    return is_v6 ? "[" + std::string(host) + "]" : std::string(host);
}

}  // namespace steer::matchers

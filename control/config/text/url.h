// URLs of lists: http and https (RFC 3986, RFC 9110 4.2), and the references of redirects.
//
// A host is an IP address or an ASCII name. User names in a URL are rejected, fragments dropped.
// Boost.URL handles paths, queries and references. Characters that RFC 3986 requires as %XX are
// converted. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::config {

struct Url {
    bool tls = false;
    std::string host;  // lower-case, an IPv6 address without brackets
    std::uint16_t port = 80;
    std::string target = "/";  // path and query

    // "[2001:db8::1]:8080"; the port only if it is not the scheme's default.
    [[nodiscard]] std::string authority() const;
    [[nodiscard]] std::string text() const;
    bool operator==(const Url&) const = default;
};

// Whether the text begins with a supported scheme, in any case.
bool is_url(std::string_view text);
Result<Url> parse_url(std::string_view text);
// The target of `Location: reference` in the answer to `base` (RFC 3986 5.2).
Result<Url> resolve_reference(const Url& base, std::string_view reference);

// A unique file name for the URL: its host and last part, for people, and a hash of the whole URL.
std::string file_name_of(const Url& url);

}  // namespace steer::config

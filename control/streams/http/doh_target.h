// Where the requests of DNS over HTTP go (RFC 8484).
#pragma once

#include <string>

namespace steer::stream {

struct DohTarget {
    std::string authority, path;  // "dns.example", "/dns-query"
};

}  // namespace steer::stream

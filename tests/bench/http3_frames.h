// The little of HTTP/3 that a generator of load needs (RFC 9114, 9204): a GET for each query, in
// literals, and the content of a response with status 200. It uses no library.
#pragma once

#include <array>
#include <cstdint>

#include "bench/doq_client.h"

namespace steer::bench {

// What a client sends on its control stream: empty settings.
inline constexpr std::array<std::uint8_t, 3> kHttp3Control{0x00, 0x04, 0x00};

// Whether a connection with this ALPN needs them.
inline bool is_http3(const std::string& alpn) {
    return alpn == "h3";
}
// The stream of a request. `framed`: the query as it is over DoQ, behind its length.
Octets http3_request(const Octets& framed, const std::string& authority);
// The message of a response, behind its length as over DoQ; empty: it has another status.
Octets http3_content(const Octets& stream);

}  // namespace steer::bench

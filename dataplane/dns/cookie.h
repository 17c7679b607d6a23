// DNS cookies (RFC 7873): what a query's COOKIE option says about its client.
#pragma once

#include <cstdint>

namespace steer {

// none: no usable option. client: a client cookie alone, or with a server cookie that is not
// ours. valid: with a server cookie that we gave to this address.
enum class CookieState : std::uint8_t { none, client, valid };

}  // namespace steer

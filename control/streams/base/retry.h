// Whether a query that ended without an answer may be sent again.
#pragma once

#include <cstdint>

namespace steer::stream {

enum class Retry : std::uint8_t {
    never,  // the peer answered it, and badly; or its time is over
    lost,   // its connection ended: the peer may have processed it (RFC 7766 6.2.4)
    // The peer surely did not process it: a refused stream, one above the last of GOAWAY, early
    // data that was refused, 425, or a query that was never sent whole (RFC 9113 8.7, RFC 9114
    // 4.1.1, RFC 9001 4.6.2, RFC 8470 5.2).
    unprocessed,
};

}  // namespace steer::stream

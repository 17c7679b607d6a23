// The receiver of the queries of QUIC connections, and what becomes of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "control/streams/quic/application.h"
#include "control/streams/quic/quic_path.h"

namespace steer::quic {

// Valid during a call.
struct StreamQuery {
    std::uint64_t connection = 0;  // its number, never used again
    StreamId stream = 0;
    std::uint16_t service = 0;  // of the server (quic_messages.h)
    QuicPath addresses;
    std::string_view server_name;    // requested by the TLS client, in any case
    std::uint16_t path = 0;          // of HTTP: its index
    std::string_view forwarded_for;  // of HTTP: the header that names the client
    std::span<const std::uint8_t> message;
};

// What becomes of a query.
enum class QueryEnd : std::uint8_t {
    answered,
    unanswered,      // dropped by policy, or lost
    over_limit,      // above `streams` of `limits`
    protocol_error,  // it breaks a rule of DNS over its transport: the connection is closed
    bad_client,      // a trusted proxy names no client
    count_
};

class QueryTaker {
  public:
    // False: there is no room for it.
    virtual bool take_query(const StreamQuery& query) = 0;

  protected:
    ~QueryTaker() = default;
};

}  // namespace steer::quic

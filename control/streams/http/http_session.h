// The protocol of one client's HTTP connection without its socket: bytes in and queries out,
// answers in and bytes out. Implementations: HTTP/1.1 (http1_session.h) and HTTP/2
// (http2_session.h).
//
// Requests that are not queries are refused here at once (doh_request.h). A session without a
// request in progress has no buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/streams/base/stream_counters.h"
#include "control/streams/http/doh_request.h"
#include "control/streams/http/http_site.h"

namespace steer::stream {

// The time limit of a request, from its first byte on.
inline constexpr std::uint64_t kHttpRequestMs = 10'000;

// The receiver of a session's queries.
class HttpQueryTaker {
  public:
    // `stream` must be answered, now or later. `forwarded_for`: from the site's client_header,
    // valid during the call.
    virtual void take_query(std::uint32_t stream, std::size_t path,
                            std::span<const std::uint8_t> message,
                            std::string_view forwarded_for) = 0;

  protected:
    ~HttpQueryTaker() = default;
};

class HttpSession {
  public:
    virtual ~HttpSession() = default;

    // Handles bytes from the client. Ends requests whose time is over. The connection's owner
    // closes a client that sends nothing.
    virtual void receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) = 0;
    // Whether bytes may be passed now. False while an answer must be sent first.
    [[nodiscard]] virtual bool wants_input() const = 0;

    // The result of a query: a DNS response if ok. Returns false if its request no longer waits.
    virtual bool answer(std::uint32_t stream, HttpStatus status,
                        std::span<const std::uint8_t> response) = 0;

    // The next bytes for the client, each once; empty: none now. Valid until the next call of any
    // kind.
    virtual std::span<const std::uint8_t> next_output() = 0;

    // Bytes of answers that next_output() has not returned yet.
    [[nodiscard]] virtual std::size_t unsent() const = 0;

    // Memory that requests, answers and the protocol's state take beyond those of an idle session.
    [[nodiscard]] virtual std::size_t held_bytes() const = 0;

    // Tells the client that no further request is accepted.
    virtual void shut_down() = 0;
    // Asks the client to open another connection for further requests; those that it has sent are
    // answered.
    virtual void send_away() = 0;
    // Whether to close the connection after the remaining output.
    [[nodiscard]] virtual bool is_over() const = 0;
};

}  // namespace steer::stream

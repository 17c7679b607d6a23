// The protocol of one client's HTTP connection without its socket: bytes in and queries out, answers in
// and bytes out. HTTP/1.1 and HTTP/2 are one each (http1_session.h, http2_session.h).
//
// What is no query is refused here, at once (doh_request.h). A session that has nothing in progress owns
// no buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/stream/base/stream_counters.h"
#include "control/stream/http/doh_request.h"
#include "control/stream/http/http_site.h"

namespace steer::stream {

// A request may take so long to come, from its first byte on.
inline constexpr std::uint64_t kHttpRequestMs = 10'000;

// Who takes a session's queries.
class HttpQueryTaker {
  public:
    // `stream` is to be answered, later or at once. `forwarded_for`: of the site's client_header, for a
    // while.
    virtual void take_query(std::uint32_t stream, std::size_t path,
                            std::span<const std::uint8_t> message,
                            std::string_view forwarded_for) = 0;

  protected:
    ~HttpQueryTaker() = default;
};

class HttpSession {
  public:
    virtual ~HttpSession() = default;

    // What came from the client. A request whose time is over is given up then: one that sends nothing
    // at all is its connection's to close.
    virtual void receive(std::span<const std::uint8_t> bytes, std::uint64_t now_ms) = 0;
    // Whether bytes may be brought now. False while an answer has to go out first.
    [[nodiscard]] virtual bool wants_input() const = 0;

    // What became of a query: a DNS response if ok. False: nobody waits for it any more.
    virtual bool answer(std::uint32_t stream, HttpStatus status,
                        std::span<const std::uint8_t> response) = 0;

    // The next bytes for the client, each once; empty: none now. Good until the next call of any kind.
    virtual std::span<const std::uint8_t> next_output() = 0;

    // Bytes of answers that next_output() has not given yet.
    [[nodiscard]] virtual std::size_t unsent() const = 0;

    // Tells the client that nothing will be taken any more.
    virtual void shut_down() = 0;
    // After the output that there is now the connection is to be closed.
    [[nodiscard]] virtual bool is_over() const = 0;
};

}  // namespace steer::stream

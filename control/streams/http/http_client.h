// The protocol of an HTTP client without its socket: requests in, bytes out; bytes in, responses
// out. Implementations: HTTP/2 (http2_client.h) and HTTP/1.1 (http1_client.h). Used by DNS over
// HTTPS (doh_client.h) and by lists (control/streams/fetch).
//
// A request ends once, with the taker's take_end() or take_failure(); after cancel() it ends
// without a call. The taker is called from within receive(), receive_end() and next_output(), and
// may call cancel() and ask() there. Content is passed on when it arrives, and is not stored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/base/retry.h"
#include "control/streams/http/http_response.h"

namespace steer::stream {

// The common parts of requests. (":authority" or Host; ":path" or the request's target.)
struct HttpRequestHead {
    std::string method, scheme, authority, path;
    std::vector<HttpHeader> fields;  // without those that HTTP/1.1 and HTTP/2 encode differently
    bool is_last = false;            // last one on its connection: HTTP/1.1 announces it
};

class HttpReplyTaker {
  public:
    virtual void take_head(std::uint32_t request, const HttpResponseHead& head) = 0;
    virtual void take_content(std::uint32_t request, std::span<const std::uint8_t> bytes) = 0;
    virtual void take_end(std::uint32_t request) = 0;
    // `why`: for messages; empty: the server ended the request without a reason.
    virtual void take_failure(std::uint32_t request, Retry retry, std::string_view why) = 0;
    // The last byte of its content is in the output that next_output() is about to return.
    virtual void take_written(std::uint32_t /*request*/) {}

  protected:
    ~HttpReplyTaker() = default;
};

struct HttpClientLimits {
    std::size_t head_bytes = 16 * 1024;  // of a response
    // Bytes of a response that may be in flight (HTTP/2: initial window).
    std::uint32_t window_bytes = 65'535;
    // Fields of responses that are passed on, in lower case.
    std::vector<std::string_view> wanted;
};

class HttpClient {
  public:
    virtual ~HttpClient() = default;

    // Only if room() > 0. Returns the request's number; 0: it could not be created. A request
    // without content has no length.
    virtual std::uint32_t ask(std::shared_ptr<const HttpRequestHead> head,
                              std::span<const std::uint8_t> content) = 0;
    virtual void cancel(std::uint32_t request) = 0;
    // The number of further requests that are possible now.
    [[nodiscard]] virtual unsigned room() const = 0;

    // No further request is possible on this connection, ever.
    [[nodiscard]] virtual bool is_leaving() const = 0;
    // The most requests at a time, as the server announced; no value: it has announced nothing.
    [[nodiscard]] virtual std::optional<unsigned> announced_limit() const { return std::nullopt; }

    virtual void receive(std::span<const std::uint8_t> bytes) = 0;
    // The server closed its side. This may end a response (RFC 9112 6.3).
    virtual void receive_end() {}
    // The next bytes for the server, each once; empty: none now. Valid until the next call of any
    // kind.
    virtual std::span<const std::uint8_t> next_output() = 0;
    // No further request is possible, and none is in progress: close it after the remaining output.
    [[nodiscard]] virtual bool is_over() const = 0;
    // The reason, for messages; "" if the server ended it normally.
    [[nodiscard]] virtual const std::string& why() const = 0;
};

// ALPN decides: HTTP/2 for "h2", else HTTP/1.1. `taker` must outlive it.
std::unique_ptr<HttpClient> make_http_client(std::string_view protocol,
                                             const HttpClientLimits& limits, HttpReplyTaker& taker);

}  // namespace steer::stream

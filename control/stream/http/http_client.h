// The protocol of an HTTP connection to an upstream without its socket: queries in, requests out; bytes
// in, responses out. HTTP/2 (http2_client.h) and HTTP/1.1 (http1_client.h) are one each.
//
// A query is POSTed (RFC 8484 4.1). Each ends once, by the taker: with a response of any kind, or with
// none; what was cancel()led ends silently.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace steer::stream {

inline constexpr std::size_t kMaxHttpContent = 65535;  // of a response
inline constexpr std::size_t kMaxHttpResponseHead = 16 * 1024;

// Where queries go: ":authority" or Host, and the path.
struct HttpTarget {
    std::string authority, path;
};

struct HttpReply {
    unsigned status = 0;
    std::string content_type;
    std::vector<std::uint8_t> content;
    // Whether it is one that holds a DNS message.
    [[nodiscard]] bool is_dns() const;
};

class HttpReplyTaker {
  public:
    virtual void take_reply(std::uint32_t request, HttpReply& reply) = 0;
    // `again`: the upstream did not work on it.
    virtual void take_failure(std::uint32_t request, bool again) = 0;

  protected:
    ~HttpReplyTaker() = default;
};

class HttpClient {
  public:
    virtual ~HttpClient() = default;

    // Only if room() > 0. The request's number; 0: it could not be made.
    virtual std::uint32_t ask(std::span<const std::uint8_t> query) = 0;
    virtual void cancel(std::uint32_t request) = 0;
    // How many more requests may be made now.
    [[nodiscard]] virtual unsigned room() const = 0;

    virtual void receive(std::span<const std::uint8_t> bytes) = 0;
    // The upstream sends no more: a response may end so (RFC 9112 6.3).
    virtual void receive_end() {}
    // The next bytes for the upstream, each once; empty: none now. Good until the next call of any kind.
    virtual std::span<const std::uint8_t> next_output() = 0;
    // No further request can be made, and none is in progress: to be closed after the output that there is.
    [[nodiscard]] virtual bool is_over() const = 0;
    // Why, for people; "" if the upstream ended it as it may.
    [[nodiscard]] virtual const std::string& why() const = 0;
};

}  // namespace steer::stream

// Clients of DNS over HTTP for the tests: HTTP/2 by nghttp2's client, and frames written by hand.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <utility>

#include "world.h"

namespace steer::test {

struct HttpResponse {
    int status = 0;
    std::map<std::string, std::string> fields;
    Bytes content;
    bool closed = false;
    std::uint32_t error = 0;  // of the stream's end
    [[nodiscard]] std::string text() const { return {content.begin(), content.end()}; }
};

class Http2Peer {
  public:
    explicit Http2Peer(Peer peer, std::uint32_t window = 65535);
    ~Http2Peer() { nghttp2_session_del(session_); }
    Http2Peer(const Http2Peer&) = delete;
    Http2Peer& operator=(const Http2Peer&) = delete;

    using Fields = std::vector<std::pair<std::string, std::string>>;
    // Returns the stream. `finished`: no more content will follow.
    std::int32_t request(const Fields& fields, const Bytes& content = {}, bool finished = true);
    std::int32_t get(const std::string& path, const Fields& more = {});
    std::int32_t post(const Bytes& query, const Fields& more = {},
                      const std::string& type = "application/dns-message");
    void reset(std::int32_t stream, std::uint32_t error = NGHTTP2_CANCEL);
    void ping();
    // Sends and receives what there is. False: the other side has closed.
    bool turn();

    std::map<std::int32_t, HttpResponse> responses;
    std::map<std::int32_t, std::uint32_t> settings;  // of the server
    int goaway = -1;                                 // its error code
    bool consumes = true;                            // false: opens no window for what arrived

  private:
    struct Calls;
    Peer peer_;
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, std::pair<Bytes, bool>> contents_;
    Bytes unsent_;
};

// A frame by hand (RFC 9113 4.1).
Bytes http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  const Bytes& payload);
// SETTINGS that set nothing: what either side sends first.
inline const Bytes kSettings{0, 0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0};
Bytes bytes_of_text(std::string_view text);

}  // namespace steer::test

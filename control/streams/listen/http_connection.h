// One client's connection for DNS over HTTP (RFC 8484): its socket, and the path of its queries to
// the workers and back. ALPN chooses the session's protocol (http2_session.h, http1_session.h).
// Without TLS it is HTTP/2 if the connection begins with its preface (RFC 9113 3.3), else HTTP/1.1.
//
// A query that a worker drops, or that no worker can get, is answered with 503 at once. Answers of
// one turn of the thread are sent in one write. An idle connection has no buffer except its
// session's.
//
// It is closed after the service's idle time without a request or sent answer (frames without a
// request do not count), and with more than kMaxUnsent bytes of waiting answers. An HTTP/2 client
// gets a GOAWAY; its further bytes are read for at most ClientConnections::kLingerMs, and at most
// kMaxThrownAway bytes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/http/http_session.h"
#include "control/streams/listen/client_connection.h"
#include "control/streams/listen/injector.h"

namespace steer::stream {

class ClientConnections;

class HttpConnection final : public ClientConnection,
                             public ResponseHandler,
                             public HttpQueryTaker,
                             public std::enable_shared_from_this<HttpConnection> {
  public:
    static constexpr std::size_t kMaxUnsent = 1024 * 1024;
    static constexpr std::size_t kMaxThrownAway = 256 * 1024;  // bytes received after our last one

    HttpConnection(StreamContext& context, Injector& injector, ClientConnections& clients,
                   ByteStream stream, const QueryOrigin& origin);

    void start();
    void close() override;
    void flush() override;
    void take_answer(const QueryOrigin& origin, Buffer* response) override;
    void take_query(std::uint32_t stream, std::size_t path, std::span<const std::uint8_t> message,
                    std::string_view forwarded_for) override;
    [[nodiscard]] bool is_idle() const override { return in_progress_ == 0 && !has_unsent(); }
    [[nodiscard]] bool waits_for_us() const override { return in_progress_ > 0 && !has_unsent(); }

  private:
    void speak(bool http2);
    void say_goodbye();
    void take(std::span<const std::uint8_t> bytes);
    bool inject(const QueryOrigin& origin, std::size_t path, std::span<const std::uint8_t> message);
    std::span<const std::uint8_t> completed(const Buffer& response, const QueryOrigin& origin);
    void fail(std::uint32_t stream, HttpStatus status, StreamCount why);

    void read();
    [[nodiscard]] bool wants_input() const;
    void wait_to_read(Io what);
    void read_next_turn();
    void write();
    void fill();
    void wait_to_write(Io what);
    // Reports the bytes that it holds; closes it if they are too many.
    void report_bytes();
    [[nodiscard]] bool has_unsent() const {
        return !out_.empty() || (session_ != nullptr && session_->unsent() > 0);
    }

    StreamContext& context_;
    Injector& injector_;
    ClientConnections& clients_;
    ByteStream stream_;
    QueryOrigin origin_;
    std::unique_ptr<HttpSession> session_;  // nullptr: the protocol is still unknown
    std::vector<std::uint8_t> first_;       // bytes received before the protocol is known
    std::vector<std::uint8_t> out_;         // not written yet, from written_ on
    std::size_t written_ = 0;
    std::size_t thrown_away_ = 0;  // bytes, while lingering_
    unsigned in_progress_ = 0;     // with workers
    bool trusted_;                 // the peer is a proxy that names the client
    bool has_answers_ = false;     // out_ has answers
    bool reading_ = false, writing_ = false;
    bool peer_ended_ = false;  // the peer closed its side
    bool lingering_ = false;   // all is sent; further bytes are discarded until the peer closes
    bool closed_ = false;
};

}  // namespace steer::stream

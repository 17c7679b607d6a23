// One client's connection for DNS over TCP (RFC 7766) or TLS (RFC 7858): messages with a length
// prefix of two bytes (RFC 1035 4.2.2).
//
// Queries may be pipelined. Each is passed to a worker at once. Its answer is sent when it arrives,
// in any order (RFC 7766 6.2.1.1, 7). Answers are copied from their buffers into one output, and
// the answers of one turn of the thread are sent in one write. An idle connection has no buffer.
//
// Limits: queries in progress (ServerLimits); no further query is read while kUnsent bytes
// wait for the client; a query of at most kMaxQuery bytes. Closed after the
// service's idle time (RFC 7766 6.2.3), with more than kMaxUnsent bytes waiting, on an impossible
// length, and after a query that a worker dropped, once everything else is answered.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/listen/client_connection.h"
#include "control/streams/listen/injector.h"

namespace steer::stream {

class ClientConnections;

class TcpConnection final : public ClientConnection,
                            public ResponseHandler,
                            public std::enable_shared_from_this<TcpConnection> {
  public:
    static constexpr std::size_t kUnsent = 256 * 1024;
    static constexpr std::size_t kMaxUnsent = 1024 * 1024;
    static constexpr std::size_t kMaxQuery = 4096;

    TcpConnection(StreamContext& context, Injector& injector, ClientConnections& clients,
                  ByteStream stream, const QueryOrigin& origin);

    void start();
    void close() override;
    void flush() override;
    void take_answer(const QueryOrigin& origin, Buffer* response) override;
    [[nodiscard]] bool is_idle() const override { return in_progress_ == 0 && out_.empty(); }
    [[nodiscard]] bool waits_for_us() const override { return in_progress_ > 0 && out_.empty(); }

  private:
    void read();
    // Passes on complete queries among the first `n` bytes of the thread's read buffer, as many as
    // allowed; moves the rest to the front. Returns the length of the rest.
    std::size_t take_queries(std::size_t n);
    bool take_query(std::span<const std::uint8_t> query);
    [[nodiscard]] bool is_full() const;
    void wait_to_read(Io what);
    void read_next_turn();

    void append(std::span<const std::uint8_t> message, const OptionsAsked& asked);
    void write();
    void wait_to_write(Io what);
    void end_after_answers();
    // Reports the bytes that it holds; closes it if they are too many.
    void report_bytes();

    StreamContext& context_;
    Injector& injector_;
    ClientConnections& clients_;
    ByteStream stream_;
    QueryOrigin origin_;

    std::vector<std::uint8_t>
        in_;  // received bytes of an incomplete query, or bytes to handle later
    std::vector<std::uint8_t> out_;  // to be written
    std::size_t written_ = 0;        // of out_
    unsigned in_progress_ = 0;
    bool reading_ = false, writing_ = false;  // a wait is in progress
    bool ending_ = false;                     // reads no more
    bool closed_ = false;
};

}  // namespace steer::stream

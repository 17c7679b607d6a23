// One client's TCP connection: DNS messages behind two bytes of length (RFC 1035 4.2.2, RFC 7766).
//
// Queries may be pipelined; each is handed to a worker at once and its answer goes out when it
// comes, in any order (RFC 7766 6.2.1.1, 7). Answers are copied out of their buffers into one
// output, so that a client that does not read holds no buffer.
//
// Limits: kInProgress queries in progress, and no further one is read while kUnsent bytes wait for
// the client; a query of at most kMaxQuery bytes. Closed when nothing happened for `idle` (RFC 7766
// 6.2.3), on a length that cannot be a query's, and after a query that a worker dropped, once
// everything else is answered.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "control/stream/injector.h"
#include "control/stream/stream_context.h"

namespace steer::stream {

class TcpClients;

class TcpConnection final : public AnswerTaker, public std::enable_shared_from_this<TcpConnection> {
  public:
    static constexpr unsigned kInProgress = 64;
    static constexpr std::size_t kUnsent = 256 * 1024;
    static constexpr std::size_t kMaxQuery = 4096;

    TcpConnection(StreamContext& context, Injector& injector, TcpClients& clients,
                  boost::asio::ip::tcp::socket socket, const Asker& asker,
                  std::chrono::milliseconds idle);

    void start();
    void close();
    void take_answer(const Asker& asker, Buffer* response) override;

    [[nodiscard]] const IpAddress& client() const { return client_; }
    [[nodiscard]] bool is_idle() const {
        return in_progress_ == 0 && out_.empty() && more_.empty();
    }
    [[nodiscard]] std::uint64_t last_used_ms() const { return last_used_ms_; }

  private:
    void read();
    // Hands over the complete queries in in_. False: the connection is closed, or is not to be read
    // now.
    bool take_queries();
    bool take_query(std::span<const std::uint8_t> query);
    void write();
    void watch();
    void end_after_answers();
    void go_on();

    StreamContext& context_;
    Injector& injector_;
    TcpClients& clients_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    Asker asker_;
    IpAddress client_;
    std::chrono::milliseconds idle_;
    std::uint64_t last_used_ms_;

    std::vector<std::uint8_t> in_;  // fixed size
    std::size_t in_length_ = 0;
    std::vector<std::uint8_t> out_, more_;  // being written; to be written after it
    std::size_t written_ = 0;               // of out_
    unsigned in_progress_ = 0;
    bool reading_ = false, writing_ = false;
    bool ending_ = false;  // reads no more
    bool closed_ = false;
};

}  // namespace steer::stream

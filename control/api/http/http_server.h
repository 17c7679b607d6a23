// An HTTP/1.1 server of the daemon: connections, TLS, requests, and one answer to each. A subclass makes the answers.
//
// Runs on the caller's io_context (the main thread). Keep-alive; limits: HttpLimits, kMaxHttpHead of header, no chunked
// content; for TLS handshakes, handshake_limits.h. A further connection closes the idlest one; those that were let in,
// wait for a method or carry a stream come last. So slow clients and crowds do not keep an operator out.
//
// Its coroutines share its ownership. close() ends them; call it before anything ends that the subclass uses.
// See http_connection.h for what coroutines may take and return.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <string_view>

#include "control/api/http/handshake_limits.h"
#include "control/api/http/http_connection.h"
#include "control/api/http/http_refusals.h"
#include "control/api/http/http_reply.h"
#include "control/host/net/tls_server.h"
#include "matchers/prefix/ip_address.h"

namespace steer::ops {

inline constexpr std::uint32_t kMaxHttpHead = 8 * 1024;

struct HttpLimits {
    std::size_t connections;
    std::uint64_t content;         // bytes of a request's
    std::string_view too_long;     // the answer to more
    std::chrono::seconds request;  // to read one, from its first byte
    std::chrono::seconds idle;     // between requests, and to write an answer
};

class HttpServer : public std::enable_shared_from_this<HttpServer> {
  public:
    virtual ~HttpServer() = default;
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // :: (all zeros) listens on all addresses of both families. Port 0: the system chooses.
    boost::system::error_code listen(const IpAddress& address, std::uint16_t port);
    // Where it listens, after listen().
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t sessions() const { return connections_.size(); }
    [[nodiscard]] std::size_t handshakes() const { return handshakes_.size(); }  // not done
    [[nodiscard]] const HttpRefusals& refusals() const { return refusals_; }
    // Ends every session. From the io_context's thread, or when it no longer runs.
    void close();

  protected:
    // What follows an answer().
    enum class Next : std::uint8_t {
        reply,   // send `reply`; the connection may go on
        refuse,  // send `reply` and close it
        end,     // the answer was sent, and the connection is over
    };

    // `io` and `tls` outlive this; nullptr: no TLS. `fields`: of every response, each with its line end; static.
    HttpServer(boost::asio::io_context& io, const HttpLimits& limits, std::string_view fields = {},
               const stream::TlsServer* tls = nullptr);

    // Whether content of this length is read for `head`. False: `reply` says why not.
    virtual bool accepts_content(HttpConnection& connection, const HttpRequest& head,
                                 std::uint64_t length);
    // To `request` of the connection.
    virtual boost::asio::awaitable<Next> answer(const ConnectionPtr& connection) = 0;

    // The client was let in.
    void note_known(HttpConnection& connection);
    [[nodiscard]] boost::asio::io_context& io() const { return io_; }
    [[nodiscard]] bool has_tls() const { return tls_ != nullptr; }
    [[nodiscard]] std::string_view fields() const { return fields_; }
    [[nodiscard]] const std::set<ConnectionPtr>& connections() const { return connections_; }

  private:
    // ---- connections. The first argument keeps this object for as long as the coroutine lives.
    boost::asio::awaitable<void> accept_all(std::shared_ptr<HttpServer> self);
    boost::asio::awaitable<void> serve(std::shared_ptr<HttpServer> self, ConnectionPtr connection);
    boost::asio::awaitable<bool> serve_one(const ConnectionPtr& connection);
    void take(boost::asio::ip::tcp::socket socket);
    void evict_the_least_worth();

    // ---- TLS
    boost::asio::awaitable<bool> begin_tls(const ConnectionPtr& connection);
    void make_room_for_a_handshake(const ConnectionPtr& connection);

    // ---- requests
    boost::asio::awaitable<bool> read_request(const ConnectionPtr& connection);
    // False: the connection ended.
    boost::asio::awaitable<bool> send_reply(const ConnectionPtr& connection, bool keeps);
    // Sends `reply` and closes the connection.
    boost::asio::awaitable<void> refuse(const ConnectionPtr& connection);

    boost::asio::io_context& io_;
    HttpLimits limits_;
    const std::string_view fields_;
    const stream::TlsServer* const tls_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::set<ConnectionPtr> connections_;
    std::list<ConnectionPtr> handshakes_;  // not done, the oldest first
    HandshakeLimits handshake_limits_;
    HttpRefusals refusals_;
    std::uint64_t turns_ = 0;  // connections, requests and answers so far
};

}  // namespace steer::ops

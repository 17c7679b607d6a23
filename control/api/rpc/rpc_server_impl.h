// What the parts of RpcServer share. rpc_server.cpp: connections; rpc_handshakes.cpp: TLS; rpc_requests.cpp: HTTP requests,
// who may send them, and files; rpc_calls.cpp: POST /rpc; rpc_events.cpp: GET /events.
//
// See http_connection.h for what its coroutines may take and return.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "control/api/http/handshake_limits.h"
#include "control/api/http/http_access.h"
#include "control/api/http/http_refusals.h"
#include "control/api/http/http_reply.h"
#include "control/api/rpc/http_connection.h"
#include "control/api/rpc/rpc_server.h"
#include "control/host/net/tls_server.h"

namespace steer::ops {

struct RpcServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(boost::asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what);

    [[nodiscard]] bool has_tls() const { return !options.settings.certificate.empty(); }

    // ---- connections. The first argument keeps this object for as long as the coroutine lives.
    boost::asio::awaitable<void> accept_all(std::shared_ptr<Impl> self);
    boost::asio::awaitable<void> serve(std::shared_ptr<Impl> self, ConnectionPtr connection);
    boost::asio::awaitable<bool> serve_one(const ConnectionPtr& connection);
    void take(boost::asio::ip::tcp::socket socket);
    void evict_the_least_worth();

    // ---- TLS
    boost::asio::awaitable<bool> begin_tls(const ConnectionPtr& connection);
    void make_room_for_a_handshake(const ConnectionPtr& connection);

    // ---- requests: `request` and `reply` of the connection
    boost::asio::awaitable<bool> read_request(const ConnectionPtr& connection);
    // Sends `reply` and closes the connection.
    boost::asio::awaitable<void> refuse(const ConnectionPtr& connection);
    [[nodiscard]] std::optional<Reply> judge(const HttpRequest& request) const;
    [[nodiscard]] std::string cross_origin_fields(const HttpRequest& request) const;
    [[nodiscard]] std::string own_origin(const HttpRequest& request) const;
    [[nodiscard]] Reply file(const HttpRequest& request, std::string_view path) const;
    // Sets `user` of the connection. False: `reply` says why not.
    bool let_in(HttpConnection& connection, std::string_view authorization);
    [[nodiscard]] Caller caller_of(const HttpConnection& connection) const;
    void log_wrong_token(const IpAddress& client);

    // ---- POST /rpc
    struct Pending;
    boost::asio::awaitable<void> answer_call(const ConnectionPtr& connection);
    bool judge_call(HttpConnection& connection);
    std::shared_ptr<Pending> begin_call(HttpConnection& connection);

    // ---- GET /events
    boost::asio::awaitable<void> send_events(const ConnectionPtr& connection);
    static boost::asio::awaitable<void> watch_end(ConnectionPtr connection);
    bool begin_events(const ConnectionPtr& connection);

    boost::asio::io_context& io;
    const JsonRpc& rpc;
    Options options;
    HttpAccess access;
    stream::TlsServer tls;
    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
    std::set<ConnectionPtr> connections;
    std::list<ConnectionPtr> handshakes;  // not done, the oldest first
    HandshakeLimits limits;
    HttpRefusals refusals;
    std::uint64_t turns = 0;  // connections, requests and answers so far
    std::chrono::steady_clock::time_point wrong_token_logged{};
};

}  // namespace steer::ops

// What the parts of RpcServer share. rpc_server.cpp: settings and certificates; rpc_requests.cpp: who may send a request,
// and files; rpc_calls.cpp: POST /rpc; rpc_events.cpp: GET /events.
//
// http_connection.h has the rules for arguments and results of its coroutines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/http/http_access.h"
#include "control/api/http/http_server.h"
#include "control/api/rpc/rpc_server.h"

namespace steer::ops {

struct RpcServer::Impl final : HttpServer {
    Impl(boost::asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what);

    std::vector<Error> renew(const config::RpcServer* settings);
    [[nodiscard]] Result<void> load_certificate();

    // ---- requests: `request` and `reply` of the connection
    bool accepts_content(HttpConnection& connection, const HttpRequest& head,
                         std::uint64_t length) override;
    boost::asio::awaitable<Next> answer(const ConnectionPtr& connection) override;
    [[nodiscard]] std::optional<Reply> judge(const HttpRequest& request) const;
    [[nodiscard]] std::string cross_origin_fields(const HttpRequest& request) const;
    [[nodiscard]] std::string own_origin(const HttpRequest& request) const;
    [[nodiscard]] Reply file(const HttpRequest& request, std::string_view path) const;
    // Sets `user` of the connection. Returns false if the client is not authorized; `reply` says
    // why.
    bool let_in(HttpConnection& connection, std::string_view authorization);
    [[nodiscard]] Caller caller_of(const HttpConnection& connection) const;
    void log_wrong_token(const IpAddress& client);

    // ---- POST /rpc
    boost::asio::awaitable<void> answer_call(const ConnectionPtr& connection);
    bool judge_call(HttpConnection& connection);

    // ---- GET /events
    boost::asio::awaitable<void> send_events(const ConnectionPtr& connection,
                                             const std::shared_ptr<Feed>& feed);
    static boost::asio::awaitable<void> watch_end(ConnectionPtr connection);
    // With the subscriptions that the query asks for. nullptr: `reply` says why not.
    std::shared_ptr<Feed> begin_events(const ConnectionPtr& connection);

    const JsonRpc& rpc;
    Options options;
    HttpAccess access;
    stream::TlsServer tls;
    std::chrono::steady_clock::time_point wrong_token_logged{};
};

}  // namespace steer::ops

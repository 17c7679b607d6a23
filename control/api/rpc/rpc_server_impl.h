// What the parts of RpcServer share. rpc_server.cpp: settings and certificates; rpc_requests.cpp: who may send a request,
// and files; rpc_login.cpp: cookies, /login and /logout; rpc_calls.cpp: POST /rpc; rpc_events.cpp: GET /events.
//
// http_connection.h has the rules for arguments and results of its coroutines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/http/http_access.h"
#include "control/api/http/http_server.h"
#include "control/api/login/login.h"
#include "control/api/rpc/rpc_server.h"

namespace steer::ops {

// Whether a Content-Type is "application/json", also with parameters.
bool is_json(std::string_view type);

struct RpcServer::Impl final : HttpServer {
    Impl(boost::asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what);

    std::vector<Error> renew(const config::RpcServer* settings);
    // Listens, when `access` is ready.
    [[nodiscard]] Result<void> begin();
    [[nodiscard]] Result<void> load_certificate();
    [[nodiscard]] Result<void> use_own_certificate(stream::OwnCertificate made);
    [[nodiscard]] std::function<Result<stream::OwnCertificate>()> own_certificate_maker() const;
    [[nodiscard]] bool may_stay(const HttpUser& user) const;
    void end_streams();

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
    bool let_in(HttpConnection& connection, const HttpRequest& request);
    [[nodiscard]] Caller caller_of(const HttpConnection& connection) const;
    void log_wrong_secret(const IpAddress& client, std::string_view what);

    // ---- sessions
    [[nodiscard]] std::optional<HttpUser> find_session(const HttpRequest& request) const;
    [[nodiscard]] bool is_of_own_page(const HttpRequest& request) const;
    boost::asio::awaitable<Next> answer_login(const ConnectionPtr& connection);
    bool judge_login(HttpConnection& connection);
    void end_login(HttpConnection& connection, const Login::Outcome& outcome);
    void answer_logout(HttpConnection& connection);
    [[nodiscard]] Reply login_state() const;

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
    bool is_renewing = false;
    SideThread aside;  // the last member: makes certificates
};

}  // namespace steer::ops

// HTTP requests of RpcServer: how they are read, who may send them, and the page's files.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/rpc_server_impl.h"
#include "control/host/net/transfer_coding.h"
#include "matchers/text.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kMostIgnored = 256 * 1024;  // bytes behind a refused request
constexpr std::chrono::seconds kLinger{2};        // for them

}  // namespace

std::string RpcServer::Impl::own_origin(const HttpRequest& request) const {
    return (has_tls() ? "https://" : "http://") + std::string(view_of(request[http::field::host]));
}

// A refusal, or nothing: the request may be looked at.
std::optional<Reply> RpcServer::Impl::judge(const HttpRequest& request) const {
    const auto target = view_of(request.target());
    if (request.count(http::field::host) != 1 || !target.starts_with('/'))
        return refusal(400, "a request needs one Host and a path");
    if (!access.accepts_host(view_of(request[http::field::host]))) {
        return refusal(421,
                       "this host name is not served: use an IP address, or add the name to "
                       "`hosts` of `http`");
    }
    const bool has_origin = request.count(http::field::origin) != 0;
    if (request.count(http::field::origin) > 1 ||
        (has_origin &&
         !access.accepts_origin(view_of(request[http::field::origin]), own_origin(request)))) {
        return refusal(403, "requests of this origin are refused: add it to `origins` of `http`");
    }
    return std::nullopt;
}

// For pages of `origins`, which judge() has accepted.
std::string RpcServer::Impl::cross_origin_fields(const HttpRequest& request) const {
    const std::string origin(view_of(request[http::field::origin]));
    if (origin.empty() || matchers::lowered(origin) == matchers::lowered(own_origin(request)))
        return {};
    return "access-control-allow-origin: " + origin +
           "\r\naccess-control-allow-headers: authorization, content-type\r\n"
           "access-control-allow-methods: GET, POST\r\nvary: origin\r\n";
}

bool RpcServer::Impl::let_in(HttpConnection& connection, std::string_view authorization) {
    const auto now = HttpAccess::Clock::now();
    if (access.is_blocked(connection.address, now)) {
        connection.reply =
            refusal(429, "too many wrong tokens came from your address: wait a minute",
                    "retry-after: 60\r\n");
        return false;
    }
    std::optional<HttpUser> user = access.find_certificate(connection.stream.ssl());
    if (!authorization.empty()) {
        user = access.find_token(authorization);
        if (!user) {
            access.note_wrong_token(connection.address, now);
            log_wrong_token(connection.address);
        }
    }
    if (user) {
        connection.is_known = true;
        connection.user = std::move(*user);
        limits.note_known(connection.address, now);
        return true;
    }
    connection.reply =
        refusal(401,
                authorization.empty() ? "a token is missing: send `Authorization: Bearer TOKEN`"
                                      : "this token is wrong: check it",
                "www-authenticate: Bearer realm=\"steerdns\"\r\n");
    return false;
}

// At most one a second: a client must not fill the log.
void RpcServer::Impl::log_wrong_token(const IpAddress& client) {
    const auto now = std::chrono::steady_clock::now();
    if (!options.audit || now - wrong_token_logged < std::chrono::seconds(1)) return;
    wrong_token_logged = now;
    options.audit("http request of " + client.to_string() + ": refused: wrong token");
}

Caller RpcServer::Impl::caller_of(const HttpConnection& connection) const {
    return {connection.user.role, connection.user.name + " at " + connection.address.to_string()};
}

// By its exact name in the table: no path is opened.
Reply RpcServer::Impl::file(const HttpRequest& request, std::string_view path) const {
    if (path == "/") path = "/index.html";
    const auto at = std::find_if(options.files.begin(), options.files.end(),
                                 [&](const page::PageFile& one) { return one.path == path; });
    if (at == options.files.end())
        return refusal(404, "there is no such path: use POST /rpc or GET /events");
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return refusal(405, "use GET", "allow: GET, HEAD\r\n");
    const std::string fields = "cache-control: no-cache\r\netag: " + std::string(at->tag) + "\r\n";
    if (view_of(request[http::field::if_none_match]) == at->tag)
        return {.status = 304, .fields = fields};
    return {.type = at->type, .body = std::string(at->content), .fields = fields};
}

// What follows a refused request may be anything. It is read for a while, because closing with unread bytes would reset the
// connection before the client has the answer.
asio::awaitable<void> RpcServer::Impl::refuse(const ConnectionPtr& connection) {
    refusals.add_status(connection->reply.status);
    connection->close_after(connection, kRpcRequestTime);
    connection->out = text_of(connection->reply, false, false);
    bool is_open = co_await write_out(*connection);
    connection->stream.end_writing();
    connection->close_after(connection, kLinger);
    for (std::size_t ignored = 0; is_open && ignored <= kMostIgnored;) {
        ignored += connection->in.size();
        connection->in.clear();
        is_open = co_await read_more(*connection);
    }
}

// False: the connection is over, or was refused.
asio::awaitable<bool> RpcServer::Impl::read_request(const ConnectionPtr& connection) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxRpcHead);
    parser.body_limit(kMaxControlLine);
    parser.eager(true);
    connection->close_after(connection, kRpcIdle);
    bool is_begun = false, is_judged = false, is_refused = false;
    while (!is_refused) {
        if (!connection->in.empty()) {
            if (!std::exchange(is_begun, true))
                connection->close_after(connection, kRpcRequestTime);
            boost::system::error_code error;
            const std::size_t n = parser.put(asio::buffer(connection->in), error);
            connection->in.erase(0, n);
            if (error && error != http::error::need_more) {
                connection->reply = refusal(error);
                is_refused = true;
            } else if (parser.is_header_done() && stream::has_unknown_coding(parser.get())) {
                connection->reply =
                    refusal(400, "send Content-Length alone: this Transfer-Encoding is refused");
                is_refused = true;
            } else if (parser.is_header_done() && parser.chunked()) {
                connection->reply = refusal(411, "send Content-Length: chunked content is refused");
                is_refused = true;
            } else if (parser.is_header_done() && !std::exchange(is_judged, true) &&
                       parser.content_length().value_or(0) > kMaxUnknownContent) {
                const auto given = view_of(parser.get()[http::field::authorization]);
                is_refused = !let_in(*connection, given);
                if (is_refused && given.empty()) connection->reply = too_long();
            }
            if (!is_refused && parser.is_done()) {
                connection->request = parser.release();
                co_return true;
            }
        }
        if (!is_refused && !co_await read_more(*connection)) co_return false;
    }
    co_await refuse(connection);
    co_return false;
}

}  // namespace steer::ops

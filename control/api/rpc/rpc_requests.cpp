// HTTP requests of RpcServer: who may send them, and the page's files.
#include <algorithm>
#include <utility>

#include "control/api/rpc/rpc_server_impl.h"
#include "matchers/text.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;

std::string RpcServer::Impl::own_origin(const HttpRequest& request) const {
    return (has_tls() ? "https://" : "http://") + std::string(view_of(request[http::field::host]));
}

// A refusal, or nothing: the request may be read.
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

bool RpcServer::Impl::let_in(HttpConnection& connection, const HttpRequest& request) {
    const auto authorization = view_of(request[http::field::authorization]);
    if (authorization.empty()) {
        // Before blocked addresses: a session's secret cannot be guessed.
        if (auto person = find_session(request)) {
            connection.user = std::move(*person);
            note_known(connection);
            return true;
        }
    }
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
            log_wrong_secret(connection.address, "wrong token");
        }
    }
    if (user) {
        connection.user = std::move(*user);
        note_known(connection);
        return true;
    }
    connection.reply =
        refusal(401,
                authorization.empty() ? "sign in, or send `Authorization: Bearer TOKEN`"
                                      : "this token is wrong: check it",
                "www-authenticate: Bearer realm=\"steerdns\"\r\n");
    return false;
}

// At most one a second: a client must not fill the log.
void RpcServer::Impl::log_wrong_secret(const IpAddress& client, std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    if (!options.audit || now - wrong_token_logged < std::chrono::seconds(1)) return;
    wrong_token_logged = now;
    options.audit("http request of " + client.to_string() + ": refused: " + std::string(what));
}

Caller RpcServer::Impl::caller_of(const HttpConnection& connection) const {
    const std::string where = " at " + connection.address.to_string();
    return {.role = connection.user.role,
            .who = connection.user.name + where,
            // The number of a session says nothing after its end.
            .name = connection.user.session == 0 ? connection.user.name : "the page" + where,
            .owner = connection.user.name,
            .session = connection.user.session};
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
    const bool is_there = view_of(request[http::field::if_none_match]) == at->tag;
    return {.status = is_there ? 304U : 200U,
            .type = at->type,
            .body = std::string(at->content),
            .fields = "etag: " + std::string(at->tag) + "\r\n",
            .cache = "no-cache"};
}

bool RpcServer::Impl::accepts_content(HttpConnection& connection, const HttpRequest& head,
                                      std::uint64_t length) {
    if (length <= kMaxUnknownContent || let_in(connection, head)) return true;
    if (head.count(http::field::authorization) == 0)
        connection.reply = refusal(413, std::string(kRpcTooLong));
    return false;
}

asio::awaitable<HttpServer::Next> RpcServer::Impl::answer(const ConnectionPtr& connection) {
    const HttpRequest& request = connection->request;
    if (auto why = judge(request)) {
        connection->reply = std::move(*why);
        co_return Next::refuse;
    }
    const std::string fields = cross_origin_fields(request);
    const auto target = view_of(request.target());
    const auto path = target.substr(0, target.find('?'));
    if (path == "/events" && request.method() != http::verb::options) {
        const auto feed = begin_events(connection);
        if (feed != nullptr) {
            co_await send_events(connection, feed);
            co_return Next::end;
        }
        connection->reply.fields += fields;
        co_return Next::refuse;
    }
    if (request.method() == http::verb::options && !fields.empty()) {
        connection->reply.status =
            204;  // a browser asks whether another origin may send its request
    } else if (path == "/rpc") {
        co_await answer_call(connection);
    } else if (path == "/login") {
        co_return co_await answer_login(connection);
    } else if (path == "/logout") {
        answer_logout(*connection);
    } else {
        connection->reply = file(request, path);
    }
    connection->reply.fields += fields;
    co_return Next::reply;
}

}  // namespace steer::ops

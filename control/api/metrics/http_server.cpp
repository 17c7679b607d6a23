#include "control/api/metrics/http_server.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "control/api/http/accept.h"
#include "control/host/net/transfer_coding.h"
#include "matchers/version.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
namespace {

constexpr std::uint32_t kMaxHeader = 8 * 1024;
constexpr std::uint64_t kMaxBody = 1024;

Response plain(http::status status, std::string_view body) {
    Response response(status, 11);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = body;
    return response;
}

bool wants_all(std::string_view query) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto one = query.substr(0, end);
        if (one.substr(0, one.find('=')) == "verbose") return true;
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    }
    return false;
}

Response metrics(const HttpContent& content, const Request& request, std::string_view /*query*/) {
    const beast::string_view accept = request[http::field::accept];
    const MetricsFormat format = metrics_format({accept.data(), accept.size()});
    const std::string_view type = content_type(format);
    Response response = plain(http::status::ok, metrics_text(content.metrics, format));
    response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
    response.set(http::field::vary, "Accept");
    return response;
}

template <auto Checks>
Response health(const HttpContent& content, const Request&, std::string_view query) {
    const HealthChecks checks = (content.*Checks)();
    Response response =
        plain(all_good(checks) ? http::status::ok : http::status::service_unavailable,
              health_text(checks, wants_all(query)));
    response.set(http::field::cache_control, "no-store");
    return response;
}

struct Page {
    std::string_view path;
    Response (*make)(const HttpContent&, const Request&, std::string_view query);
};
constexpr Page kPages[] = {{"/metrics", metrics},
                           {"/livez", health<&HttpContent::live>},
                           {"/readyz", health<&HttpContent::ready>},
                           {"/healthz", health<&HttpContent::ready>}};

Response respond(const Request& request, const HttpContent& content) {
    const std::string_view target(request.target().data(), request.target().size());
    const auto mark = std::min(target.find('?'), target.size());
    const auto* const page = std::find_if(std::begin(kPages), std::end(kPages), [&](const Page& p) {
        return p.path == target.substr(0, mark);
    });
    if (page == std::end(kPages)) {
        return plain(http::status::not_found, "there are /metrics, /livez, /readyz and /healthz\n");
    }
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        Response response = plain(http::status::method_not_allowed, "only GET and HEAD\n");
        response.set(http::field::allow, "GET, HEAD");
        return response;
    }
    return page->make(content, request, target.substr(std::min(mark + 1, target.size())));
}

// The response to an invalid request; the connection is closed afterwards.
http::status status_of(const boost::system::error_code& error) {
    if (error == http::error::header_limit) return http::status::request_header_fields_too_large;
    if (error == http::error::body_limit) return http::status::payload_too_large;
    return http::status::bad_request;
}

bool is_parse_error(const boost::system::error_code& error) {
    return error.category() == http::make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

tcp::endpoint endpoint_of(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
        asio::ip::address_v4::bytes_type bytes;
        std::copy_n(address.v4(), bytes.size(), bytes.begin());
        return {asio::ip::address_v4(bytes), port};
    }
    return {asio::ip::address_v6(address.bytes), port};
}

struct HttpClient {
    explicit HttpClient(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    std::uint64_t last_turn = 0;  // by Impl::turns
};

}  // namespace

std::string health_line(const HealthChecks& checks) {
    std::string line;
    for (const auto& check : checks) {
        if (check.is_good()) continue;
        line.append(line.empty() ? "" : "; ").append(check.name).append(": ").append(check.trouble);
    }
    return line;
}

std::string health_text(const HealthChecks& checks, bool verbose) {
    if (!verbose && all_good(checks)) return "ok\n";
    std::string text;
    for (const auto& check : checks) {
        if (!verbose && check.is_good()) continue;
        text.append(check.name).append(check.is_good() ? " ok" : " failed: " + check.trouble);
        if (verbose && !check.details.empty()) text.append(": ").append(check.details);
        text += '\n';
    }
    return text;
}

struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, HttpContent what)
        : io(context), content(std::move(what)), acceptor(context), pause(context) {}

    // The first argument keeps this object for as long as the coroutine lives.
    asio::awaitable<void> accept_all(std::shared_ptr<Impl> self);
    asio::awaitable<void> serve(std::shared_ptr<Impl>, std::shared_ptr<HttpClient> session);
    void evict_the_idlest();
    // `response` outlives the coroutine; no temporaries, see http_connection.h.
    static asio::awaitable<bool> send(beast::tcp_stream& stream, Response& response, bool head);

    asio::io_context& io;
    HttpContent content;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::set<std::shared_ptr<HttpClient>> sessions;
    std::uint64_t turns = 0;  // connections, requests and answers so far
};

void HttpServer::Impl::evict_the_idlest() {
    const auto idlest =
        std::min_element(sessions.begin(), sessions.end(),
                         [](const auto& a, const auto& b) { return a->last_turn < b->last_turn; });
    (*idlest)->stream.close();
    sessions.erase(idlest);
}

// True if the connection may go on.
asio::awaitable<bool> HttpServer::Impl::send(beast::tcp_stream& stream, Response& response,
                                             bool head) {
    response.set(http::field::server, with_version("steerdnsd", '/'));
    response.prepare_payload();
    if (head) response.body().clear();  // the length stays that of the body
    stream.expires_after(kHttpIdle);
    const auto [error, _] = co_await http::async_write(stream, response, kNoThrow);
    co_return !error && response.keep_alive();
}

asio::awaitable<void> HttpServer::Impl::serve(std::shared_ptr<Impl>,
                                              std::shared_ptr<HttpClient> session) {
    beast::tcp_stream* const stream = &session->stream;
    beast::flat_buffer buffer;
    for (bool more = true; more && acceptor.is_open();) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(kMaxHeader);
        parser.body_limit(kMaxBody);
        stream->expires_after(kHttpIdle);
        auto [error, _] = co_await http::async_read_header(*stream, buffer, parser, kNoThrow);
        if (!error && stream::has_unknown_coding(parser.get()))
            error = http::error::bad_transfer_encoding;
        // (Beast's parser does not bear a chunked end in small pieces: control/streams/http/chunked_end.h.)
        if (!error && parser.chunked()) {
            Response response = plain(http::status::length_required, "no chunked requests\n");
            response.keep_alive(false);
            co_await send(*stream, response, false);
            break;
        }
        if (!error) {
            const auto [unread, _2] = co_await http::async_read(*stream, buffer, parser, kNoThrow);
            error = unread;
        }
        if (error) {
            if (is_parse_error(error)) {
                Response response = plain(status_of(error), "not a request for this server\n");
                response.keep_alive(false);
                co_await send(*stream, response, false);
            }
            break;
        }
        session->last_turn = ++turns;
        const Request& request = parser.get();
        Response response = respond(request, content);
        response.version(request.version());
        response.keep_alive(request.keep_alive());
        more = co_await send(*stream, response, request.method() == http::verb::head);
        session->last_turn = ++turns;
    }
    boost::system::error_code ignored;
    stream->socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream->close();
    sessions.erase(session);
}

asio::awaitable<void> HttpServer::Impl::accept_all(std::shared_ptr<Impl> self) {
    co_await accept_each(acceptor, pause, [this, &self](tcp::socket socket) {
        if (sessions.size() >= kHttpSessions) evict_the_idlest();
        auto session = std::make_shared<HttpClient>(std::move(socket));
        session->last_turn = ++turns;
        sessions.insert(session);
        asio::co_spawn(io, serve(self, std::move(session)), asio::detached);
    });
}

HttpServer::HttpServer(asio::io_context& io, HttpContent content)
    : impl_(std::make_shared<Impl>(io, std::move(content))) {}
HttpServer::~HttpServer() {
    close();
}

Result<void> HttpServer::listen(const IpAddress& address, std::uint16_t port) {
    const tcp::endpoint endpoint = endpoint_of(address, port);
    boost::system::error_code error;
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) {
        acceptor.set_option(asio::ip::v6_only(address != IpAddress{}), error);
    }
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return Error{"HTTP cannot be served on " + address.to_string() + " port " +
                     std::to_string(port) + ": " + error.message() +
                     "; choose another control.http"};
    }
    asio::co_spawn(impl_->io, impl_->accept_all(impl_), asio::detached);
    return {};
}

std::uint16_t HttpServer::port() const {
    boost::system::error_code error;
    const auto endpoint = impl_->acceptor.local_endpoint(error);
    return error ? std::uint16_t{0} : endpoint.port();
}

void HttpServer::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    for (const auto& session : impl_->sessions)
        session->stream.close();
}

}  // namespace steer::ops

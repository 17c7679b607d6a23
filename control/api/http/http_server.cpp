#include "control/api/http/http_server.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <string>
#include <utility>

#include "control/api/http/accept.h"
#include "control/host/net/transfer_coding.h"
#include "control/host/process/descriptor_limit.h"
#include "control/host/resolver/endpoint.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
namespace {

constexpr std::size_t kMostIgnored = 256 * 1024;  // bytes behind a refused request
constexpr std::chrono::seconds kLinger{2};        // for them

IpAddress address_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v4()) return IpAddress::from_v4(address.to_v4().to_bytes().data());
    return IpAddress::from_v6(address.to_v6().to_bytes().data());
}

}  // namespace

HttpServer::HttpServer(asio::io_context& io, const HttpLimits& limits, std::string_view fields,
                       const stream::TlsServer* tls)
    : io_(io), limits_(limits), fields_(fields), tls_(tls), acceptor_(io), pause_(io) {
    if (const auto files = descriptor_limit())
        limits_.connections = sessions_within(limits_.connections, *files);
}

boost::system::error_code HttpServer::listen(const IpAddress& address, std::uint16_t port) {
    const auto endpoint = resolver::endpoint<tcp>(address, port);
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6())
        acceptor_.set_option(asio::ip::v6_only(address != IpAddress{}), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
    } else {
        asio::co_spawn(io_, accept_all(shared_from_this()), asio::detached);
    }
    return error;
}

std::uint16_t HttpServer::port() const {
    boost::system::error_code error;
    const auto endpoint = acceptor_.local_endpoint(error);
    return error ? std::uint16_t{0} : endpoint.port();
}

void HttpServer::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& connection : connections_)
        connection->close();
}

bool HttpServer::accepts_content(HttpConnection&, const HttpRequest&, std::uint64_t) {
    return true;
}

void HttpServer::note_known(HttpConnection& connection) {
    connection.is_known = true;
    handshake_limits_.note_known(connection.address, HandshakeLimits::Clock::now());
}

// ---- connections

asio::awaitable<void> HttpServer::accept_all(std::shared_ptr<HttpServer> self) {
    HttpServer* const server = self.get();
    co_await accept_each(acceptor_, pause_,
                         [server](tcp::socket socket) { server->take(std::move(socket)); });
}

void HttpServer::take(tcp::socket socket) {
    boost::system::error_code error;
    const auto from = socket.remote_endpoint(error);
    if (error) return;
    if (connections_.size() >= limits_.connections) evict_the_least_worth();
    auto connection = std::make_shared<HttpConnection>(std::move(socket), address_of(from));
    connection->turn = ++turns_;
    connections_.insert(connection);
    asio::co_spawn(io_, serve(shared_from_this(), std::move(connection)), asio::detached);
}

void HttpServer::evict_the_least_worth() {
    const auto least =
        std::min_element(connections_.begin(), connections_.end(),
                         [](const auto& a, const auto& b) { return a->worth() < b->worth(); });
    const bool shakes_hands =
        std::find(handshakes_.begin(), handshakes_.end(), *least) != handshakes_.end();
    if (!shakes_hands) refusals_.add(HttpRefusal::crowd);  // else its handshake is counted
    (*least)->is_displaced = true;
    (*least)->close();
    connections_.erase(least);
}

asio::awaitable<void> HttpServer::serve(std::shared_ptr<HttpServer>, ConnectionPtr connection) {
    bool is_open = true;
    if (has_tls()) is_open = co_await begin_tls(connection);
    while (is_open && acceptor_.is_open()) {
        co_await asio::post(io_, asio::use_awaitable);  // others take turns with pipelined requests
        if (!connection->stream.is_open()) break;       // it was closed during the turns of others
        is_open = co_await serve_one(connection);
        connection->request = {};
    }
    connection->stream.end_writing();
    connection->close();
    connections_.erase(connection);
}

// Whether the connection goes on.
asio::awaitable<bool> HttpServer::serve_one(const ConnectionPtr& connection) {
    if (!co_await read_request(connection)) co_return false;
    connection->reply = {};
    connection->turn = ++turns_;
    const Next next = co_await answer(connection);
    if (next == Next::end) co_return false;
    if (next == Next::refuse) {
        co_await refuse(connection);
        co_return false;
    }
    const bool keeps = connection->request.keep_alive() && acceptor_.is_open();
    const bool is_sent = co_await send_reply(connection, keeps);
    const bool goes_on = is_sent && keeps;
    co_return goes_on;
}

asio::awaitable<bool> HttpServer::send_reply(const ConnectionPtr& connection, bool keeps) {
    constexpr unsigned kFirstRefusal = 400;
    if (connection->reply.status >= kFirstRefusal) refusals_.add_status(connection->reply.status);
    connection->turn = ++turns_;
    connection->close_after(connection, limits_.idle);
    const bool head_only = connection->request.method() == http::verb::head;
    connection->out = text_of(connection->reply, fields_, keeps, head_only);
    connection->reply = {};  // idle connections keep no texts
    return write_out(*connection);
}

// ---- requests

// What follows a refused request may be anything. It is read for a while, because closing with unread bytes would reset the
// connection before the client has the answer.
asio::awaitable<void> HttpServer::refuse(const ConnectionPtr& connection) {
    bool is_open = co_await send_reply(connection, false);
    connection->stream.end_writing();
    connection->close_after(connection, kLinger);
    for (std::size_t ignored = 0; is_open && ignored <= kMostIgnored;) {
        ignored += connection->in.size();
        connection->in.clear();
        is_open = co_await read_more(*connection);
    }
}

// False: the connection is over, or was refused.
asio::awaitable<bool> HttpServer::read_request(const ConnectionPtr& connection) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxHttpHead);
    parser.body_limit(limits_.content);
    parser.eager(true);
    connection->close_after(connection, limits_.idle);
    bool is_begun = false, is_judged = false, is_refused = false;
    while (!is_refused) {
        if (!connection->in.empty()) {
            if (!std::exchange(is_begun, true))
                connection->close_after(connection, limits_.request);
            boost::system::error_code error;
            const std::size_t n = parser.put(asio::buffer(connection->in), error);
            connection->in.erase(0, n);
            if (error && error != http::error::need_more) {
                connection->reply = error == http::error::body_limit
                                        ? refusal(413, std::string(limits_.too_long))
                                        : refusal(error);
                is_refused = true;
            } else if (parser.is_header_done() && stream::has_unknown_coding(parser.get())) {
                connection->reply =
                    refusal(400, "send Content-Length alone: this Transfer-Encoding is refused");
                is_refused = true;
            } else if (parser.is_header_done() && parser.chunked()) {
                connection->reply = refusal(411, "send Content-Length: chunked content is refused");
                is_refused = true;
            } else if (parser.is_header_done() && !std::exchange(is_judged, true)) {
                is_refused = !accepts_content(*connection, parser.get(),
                                              parser.content_length().value_or(0));
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

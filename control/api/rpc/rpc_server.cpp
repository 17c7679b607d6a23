#include "control/api/rpc/rpc_server.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "control/api/http/accept.h"
#include "control/api/rpc/rpc_server_impl.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
namespace {

tcp::endpoint endpoint_at(const config::Endpoint& at) {
    if (at.address.is_v4()) {
        asio::ip::address_v4::bytes_type bytes;
        std::copy_n(at.address.v4(), bytes.size(), bytes.begin());
        return {asio::ip::address_v4(bytes), at.port};
    }
    return {asio::ip::address_v6(at.address.bytes), at.port};
}

IpAddress address_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v4()) return IpAddress::from_v4(address.to_v4().to_bytes().data());
    return IpAddress::from_v6(address.to_v6().to_bytes().data());
}

}  // namespace

RpcServer::Impl::Impl(asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what)
    : io(context),
      rpc(methods),
      options(std::move(what)),
      tls({"http/1.1"}, clock),
      acceptor(context),
      pause(context) {}

// Whether the connection goes on.
asio::awaitable<bool> RpcServer::Impl::serve_one(const ConnectionPtr& connection) {
    if (!co_await read_request(connection)) co_return false;
    const HttpRequest& request = connection->request;
    connection->reply = {};
    connection->turn = ++turns;
    if (auto why = judge(request)) {
        connection->reply = std::move(*why);
        co_await refuse(connection);
        co_return false;
    }
    const std::string fields = cross_origin_fields(request);
    const auto target = view_of(request.target());
    const auto path = target.substr(0, target.find('?'));
    if (path == "/events" && request.method() != http::verb::options) {
        if (begin_events(connection)) {
            co_await send_events(connection);
        } else {
            connection->reply.fields += fields;
            co_await refuse(connection);
        }
        co_return false;
    }
    if (request.method() == http::verb::options && !fields.empty()) {
        connection->reply.status =
            204;  // a browser asks whether another origin may send its request
    } else if (path == "/rpc") {
        co_await answer_call(connection);
    } else {
        connection->reply = file(request, path);
    }
    constexpr unsigned kFirstRefusal = 400;
    if (connection->reply.status >= kFirstRefusal) refusals.add_status(connection->reply.status);
    connection->reply.fields += fields;
    connection->turn = ++turns;
    connection->close_after(connection, kRpcIdle);
    const bool keeps = request.keep_alive() && acceptor.is_open();
    connection->out = text_of(connection->reply, keeps, request.method() == http::verb::head);
    connection->reply = {};  // idle connections keep no texts
    const bool is_sent = co_await write_out(*connection);
    const bool goes_on = is_sent && keeps;
    co_return goes_on;
}

asio::awaitable<void> RpcServer::Impl::serve(std::shared_ptr<Impl>, ConnectionPtr connection) {
    bool is_open = true;
    if (has_tls()) is_open = co_await begin_tls(connection);
    while (is_open && acceptor.is_open()) {
        co_await asio::post(io, asio::use_awaitable);  // others take turns with pipelined requests
        is_open = co_await serve_one(connection);
        connection->request = {};
    }
    connection->stream.end_writing();
    connection->close();
    connections.erase(connection);
}

void RpcServer::Impl::evict_the_least_worth() {
    const auto least =
        std::min_element(connections.begin(), connections.end(),
                         [](const auto& a, const auto& b) { return a->worth() < b->worth(); });
    const bool shakes_hands =
        std::find(handshakes.begin(), handshakes.end(), *least) != handshakes.end();
    if (!shakes_hands) refusals.add(HttpRefusal::crowd);  // else its handshake is counted
    (*least)->gave_way = true;
    (*least)->close();
    connections.erase(least);
}

void RpcServer::Impl::take(tcp::socket socket) {
    boost::system::error_code error;
    const auto from = socket.remote_endpoint(error);
    if (error) return;
    if (connections.size() >= kRpcSessions) evict_the_least_worth();
    auto connection = std::make_shared<HttpConnection>(std::move(socket), address_of(from));
    connection->turn = ++turns;
    connections.insert(connection);
    asio::co_spawn(io, serve(shared_from_this(), std::move(connection)), asio::detached);
}

asio::awaitable<void> RpcServer::Impl::accept_all(std::shared_ptr<Impl> self) {
    Impl* const impl = self.get();
    co_await accept_each(acceptor, pause,
                         [impl](tcp::socket socket) { impl->take(std::move(socket)); });
}

RpcServer::RpcServer(asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(io, rpc, clock, std::move(options))) {}
RpcServer::~RpcServer() {
    close();
}

std::vector<Error> RpcServer::renew(const config::RpcServer* settings) {
    config::RpcServer& own = impl_->options.settings;
    std::vector<Error> wrong;
    const bool has_tls = impl_->has_tls();
    if (settings != nullptr && (settings->certificate.empty() == !has_tls)) {
        const config::Endpoint listens = own.listen;
        own = *settings;
        own.listen = listens;
    }
    impl_->access.renew(own, wrong);
    if (has_tls) {
        if (auto done = impl_->tls.load(
                {.cert = own.certificate, .key = own.key, .client_ca = own.client_ca});
            !done)
            wrong.push_back(done.error());
    }
    for (const auto& connection : impl_->connections) {
        // Each request is judged again; a stream of events has one request.
        if (connection->feed != nullptr && !impl_->access.still_has(connection->user))
            connection->close();
    }
    return wrong;
}

Result<void> RpcServer::listen() {
    const config::RpcServer& settings = impl_->options.settings;
    auto access = HttpAccess::load(settings);
    if (!access) return access.error();
    impl_->access = std::move(*access);
    if (impl_->has_tls()) {
        const auto done = impl_->tls.load(
            {.cert = settings.certificate, .key = settings.key, .client_ca = settings.client_ca});
        if (!done) return Error{done.error().text, {}, settings.line};
    }
    const tcp::endpoint endpoint = endpoint_at(settings.listen);
    boost::system::error_code error;
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6())
        acceptor.set_option(asio::ip::v6_only(!settings.listen.any()), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        return Error{"JSON-RPC cannot be served on " + settings.listen.to_string() + ": " +
                         error.message() + "; choose another 'listen' of 'http'",
                     {},
                     settings.line};
    }
    asio::co_spawn(impl_->io, impl_->accept_all(impl_), asio::detached);
    return {};
}

stream::CertificateFacts RpcServer::certificate() const {
    return impl_->tls.facts();
}

std::uint16_t RpcServer::port() const {
    boost::system::error_code error;
    const auto endpoint = impl_->acceptor.local_endpoint(error);
    return error ? std::uint16_t{0} : endpoint.port();
}

std::size_t RpcServer::sessions() const {
    return impl_->connections.size();
}

std::size_t RpcServer::handshakes() const {
    return impl_->handshakes.size();
}

const std::array<std::uint64_t, kHttpRefusals.size()>& RpcServer::refusals() const {
    return impl_->refusals.counts();
}

void RpcServer::close() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    for (const auto& connection : impl_->connections)
        connection->close();
}

}  // namespace steer::ops

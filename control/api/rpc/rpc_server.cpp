#include "control/api/rpc/rpc_server.h"

#include <utility>

#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/rpc_server_impl.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace {

// Scripts, styles and requests of the page are its own server's.
constexpr std::string_view kSecurityFields =
    "content-security-policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n";

constexpr HttpLimits kRpcLimits{.connections = kRpcSessions,
                                .content = kMaxControlLine,
                                .too_long = kRpcTooLong,
                                .request = kRpcRequestTime,
                                .idle = kRpcIdle};

}  // namespace

RpcServer::Impl::Impl(asio::io_context& context, const JsonRpc& methods, Clock& clock, Options what)
    : HttpServer(context, kRpcLimits, kSecurityFields,
                 what.settings.certificate.empty() ? nullptr : &tls),
      rpc(methods),
      options(std::move(what)),
      tls({"http/1.1"}, clock) {}

Result<void> RpcServer::Impl::load_certificate() {
    const config::RpcServer& own = options.settings;
    if (!has_tls()) return {};
    return tls.load({.cert = own.certificate, .key = own.key, .client_ca = own.client_ca});
}

std::vector<Error> RpcServer::Impl::renew(const config::RpcServer* settings) {
    config::RpcServer& own = options.settings;
    std::vector<Error> wrong;
    if (settings != nullptr && settings->certificate.empty() != has_tls()) {
        const config::Endpoint listens = own.listen;
        own = *settings;
        own.listen = listens;
    }
    access.renew(own, wrong);
    if (auto done = load_certificate(); !done) wrong.push_back(done.error());
    for (const auto& connection : connections()) {
        // Each request is judged again; a stream of events has one request.
        if (connection->is_stream && !access.still_has(connection->user)) connection->close();
    }
    return wrong;
}

RpcServer::RpcServer(asio::io_context& io, const JsonRpc& rpc, Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(io, rpc, clock, std::move(options))) {}
RpcServer::~RpcServer() {
    close();
}

std::vector<Error> RpcServer::renew(const config::RpcServer* settings) {
    return impl_->renew(settings);
}

Result<void> RpcServer::listen() {
    const config::RpcServer& settings = impl_->options.settings;
    auto access = HttpAccess::load(settings);
    if (!access) return access.error();
    impl_->access = std::move(*access);
    if (const auto done = impl_->load_certificate(); !done)
        return Error{done.error().text, {}, settings.line};
    const auto error = impl_->listen(settings.listen.address, settings.listen.port);
    if (!error) return {};
    return Error{"JSON-RPC cannot be served on " + settings.listen.to_string() + ": " +
                     error.message() + "; choose another 'listen' of 'http'",
                 {},
                 settings.line};
}

stream::CertificateFacts RpcServer::certificate() const {
    return impl_->tls.facts();
}

const HttpServer& RpcServer::http() const {
    return *impl_;
}

void RpcServer::close() {
    impl_->close();
}

}  // namespace steer::ops

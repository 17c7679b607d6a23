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
    : HttpServer(context, kRpcLimits, kSecurityFields, what.settings.has_tls() ? &tls : nullptr),
      rpc(methods),
      options(std::move(what)),
      tls({"http/1.1"}, clock),
      aside(context, "certificate") {}

Result<void> RpcServer::Impl::load_certificate() {
    const config::RpcServer& own = options.settings;
    if (!has_tls()) return {};
    if (!own.own_certificate)
        return tls.load({.cert = own.certificate, .key = own.key, .client_ca = own.client_ca});
    auto made = own_certificate_maker()();
    if (!made) return made.error();
    return use_own_certificate(std::move(*made));
}

// Makes it or reads it, on any thread.
std::function<Result<stream::OwnCertificate>()> RpcServer::Impl::own_certificate_maker() const {
    const config::RpcServer& own = options.settings;
    stream::CertificateNames wanted{own.hosts, {}};
    if (!own.listen.any() && !own.listen.any_v4()) wanted.addresses.push_back(own.listen.address);
    stream::CertificateNames all = wanted;
    if (options.machine) {
        const stream::CertificateNames more = options.machine();
        all.names.insert(all.names.end(), more.names.begin(), more.names.end());
        all.addresses.insert(all.addresses.end(), more.addresses.begin(), more.addresses.end());
    }
    const auto files = stream::own_certificate_files(own.folder, own.client_ca);
    return [files, wanted = std::move(wanted), all = std::move(all)] {
        const auto now = std::chrono::system_clock::now();
        return stream::keep_own_certificate(files, wanted, all,
                                            std::chrono::system_clock::to_time_t(now));
    };
}

Result<void> RpcServer::Impl::use_own_certificate(stream::OwnCertificate made) {
    const config::RpcServer& own = options.settings;
    if (made.certificate.facts.sha256 == tls.facts().sha256 && own.client_ca.empty()) return {};
    const auto files = stream::own_certificate_files(own.folder, own.client_ca);
    if (auto done = tls.use(files, made.certificate); !done) return done;
    if (!made.problem.empty() && options.warn) {
        options.warn(
            "the page's own certificate is kept in memory only, so that browsers ask "
            "about another one after a restart: " +
            made.problem);
    }
    return {};
}

std::vector<Error> RpcServer::Impl::renew(const config::RpcServer* settings) {
    config::RpcServer& own = options.settings;
    std::vector<Error> wrong;
    if (settings != nullptr && settings->has_tls() == has_tls()) {
        const config::Endpoint listens = own.listen;
        own = *settings;
        own.listen = listens;
    }
    access.renew(own, wrong);
    if (auto done = load_certificate(); !done) wrong.push_back(done.error());
    end_streams();
    return wrong;
}

bool RpcServer::Impl::may_stay(const HttpUser& user) const {
    if (user.session == 0) return access.still_has(user);
    return options.login != nullptr && options.settings.has_password &&
           options.login->sessions().has(user.session, options.login->now_ms());
}

// Each request is judged again; a stream of events has one request.
void RpcServer::Impl::end_streams() {
    for (const auto& connection : connections()) {
        if (connection->is_stream && !may_stay(connection->user)) connection->close();
    }
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
    std::vector<Error> wrong;
    impl_->access.renew(impl_->options.settings, wrong);
    if (!wrong.empty()) return wrong.front();
    return impl_->begin();
}

Result<void> RpcServer::listen(const RpcServer* before, std::vector<Error>& warnings) {
    if (before != nullptr) impl_->access = before->impl_->access;
    impl_->access.renew(impl_->options.settings, warnings);
    return impl_->begin();
}

Result<void> RpcServer::Impl::begin() {
    const config::RpcServer& settings = options.settings;
    if (const auto done = load_certificate(); !done)
        return Error{done.error().text, {}, settings.line};
    const auto error = listen(settings.listen.address, settings.listen.port);
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

const config::RpcServer& RpcServer::settings() const {
    return impl_->options.settings;
}

void RpcServer::end_streams() {
    impl_->end_streams();
}

void RpcServer::keep_certificate(std::int64_t now_s) {
    Impl& impl = *impl_;
    if (!impl.options.settings.own_certificate || impl.is_renewing ||
        impl.tls.facts().ends_s - now_s >= stream::kOwnRenewalS)
        return;
    impl.is_renewing = true;
    impl.aside.run(impl.own_certificate_maker(), [&impl](Result<stream::OwnCertificate> made) {
        impl.is_renewing = false;
        auto done = made ? impl.use_own_certificate(std::move(*made)) : Result<void>(made.error());
        if (!impl.options.warn) return;
        if (done)
            impl.options.warn("the page has a new certificate of its own, SHA-256 " +
                              impl.tls.facts().sha256 + ": browsers ask about it again");
        else
            impl.options.warn(done.error().text);
    });
}

void RpcServer::close() {
    impl_->aside.stop();
    impl_->close();
}

}  // namespace steer::ops

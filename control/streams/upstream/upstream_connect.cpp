#include "control/streams/upstream/upstream_connect.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "control/host/process/no_throw.h"
#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/socks5.h"
#include "control/streams/upstream/upstream_socket.h"
#include "matchers/host_text.h"

namespace steer::stream {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kUserTimeoutMs = 10'000;  // for unacknowledged data

tcp::endpoint endpoint_of(const IpAddress& address, std::uint16_t port) {
    tcp::endpoint endpoint;
    const SocketAddress to(address, port);
    endpoint.resize(to.length);
    std::memcpy(endpoint.data(), to.get(), to.length);
    return endpoint;
}

int errno_of(const boost::system::error_code& error) {
    return error.category() == boost::system::system_category() ? error.value() : ECONNRESET;
}

bool is_unspecified_v4(const IpAddress& address) {
    constexpr std::array<std::uint8_t, 4> kNone{};
    return address == IpAddress::from_v4(kNone.data());
}

std::string host_and_port(const std::string& address, std::uint16_t port) {
    return matchers::bracketed(address) + ":" + std::to_string(port);
}

}  // namespace

UpstreamConnect::UpstreamConnect(StreamContext& context,
                                 std::shared_ptr<const UpstreamTarget> target,
                                 std::shared_ptr<TlsClient> tls, bool wants_relay,
                                 const ConnectPath& path, Done done)
    : context_(context),
      target_(std::move(target)),
      tls_(std::move(tls)),
      wants_relay_(wants_relay),
      path_(path),
      done_(std::move(done)),
      socket_(context.io) {}

void UpstreamConnect::start() {
    asio::co_spawn(
        context_.io, [self = shared_from_this()] { return self->run(); },
        [self = shared_from_this()](const std::exception_ptr& thrown, bool good) {
            if (self->done_ == nullptr) return;
            if (thrown) self->fail(ENOMEM, "no memory");
            if (thrown || !good) self->out_.stream.reset();
            const Done done = std::exchange(self->done_, nullptr);
            done(std::move(self->out_));
        });
}

void UpstreamConnect::cancel() {
    done_ = nullptr;
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (out_.stream) out_.stream->close();
}

std::optional<IpAddress> UpstreamConnect::local() {
    SocketAddress here;
    tcp::socket& socket = out_.stream ? out_.stream->socket() : socket_;
    if (::getsockname(socket.native_handle(), here.get(), &here.length) != 0) return std::nullopt;
    return here.address();
}

void UpstreamConnect::forget() {
    out_.stream.reset();
    out_.error = 0;
    out_.why.clear();
}

bool UpstreamConnect::fail(int error, std::string why) {
    out_.error = error;
    out_.why = std::move(why);
    return false;
}

bool UpstreamConnect::fail_at_proxy(const std::string& why, int error) {
    return fail(error, "the proxy " + host_and_port(target_->text_of(path_.address), path_.port) +
                           ": " + why);
}

std::string UpstreamConnect::doing() const {
    return (target_->proxy ? "connecting to its proxy " : "connecting to ") +
           host_and_port(target_->text_of(path_.address), path_.port) + " failed: ";
}

asio::awaitable<bool> UpstreamConnect::run() {
    // (GCC 12 takes no co_await behind an && or ||.)
    bool good = co_await connect();
    if (good && wants_relay_) {
        good = co_await greet_proxy();
        if (!good) co_return false;
        good = co_await find_relay();
        if (good) co_return true;
        if (done_ == nullptr) co_return false;
        forget();  // the proxy ends this connection
        good = co_await connect();
    }
    if (good && target_->proxy) good = co_await pass_proxy();
    if (good && tls_ != nullptr) good = co_await shake_hands();
    co_return good;
}

asio::awaitable<bool> UpstreamConnect::connect() {
    const tcp::endpoint to = endpoint_of(path_.address, path_.port);
    boost::system::error_code error;
    socket_.open(to.protocol(), error);
    if (error) co_return fail(errno_of(error), doing() + error.message());
    const int refused = prepare_socket(context_, socket_.native_handle(), path_.address,
                                       target_->mark, target_->device);
    if (refused != 0) co_return fail(refused, doing() + std::strerror(refused));
    socket_.set_option(tcp::no_delay(true), error);
    (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs,
                       sizeof kUserTimeoutMs);
    const auto [failed] = co_await socket_.async_connect(to, kNoThrow);
    if (failed || done_ == nullptr) co_return fail(errno_of(failed), doing() + failed.message());
    out_.stream.emplace(std::move(socket_));
    co_return true;
}

asio::awaitable<bool> UpstreamConnect::write(std::span<const std::uint8_t> bytes) {
    ByteStream& stream = *out_.stream;
    while (!bytes.empty()) {
        std::size_t n = 0;
        const Io io = stream.write(bytes, n);
        if (io == Io::failed || io == Io::ended) co_return fail(stream.error(), stream.why());
        bytes = bytes.subspan(n);
        if (io == Io::done) continue;
        const auto [failed] = co_await stream.wait(io, kNoThrow);
        if (failed || done_ == nullptr) co_return fail(errno_of(failed), failed.message());
    }
    co_return true;
}

asio::awaitable<bool> UpstreamConnect::read(std::span<std::uint8_t> bytes) {
    ByteStream& stream = *out_.stream;
    while (!bytes.empty()) {
        std::size_t n = 0;
        const Io io = stream.read(bytes, n);
        if (io == Io::ended) co_return fail(ECONNRESET, "it closed the connection");
        if (io == Io::failed) co_return fail(stream.error(), stream.why());
        bytes = bytes.subspan(n);
        if (io == Io::done) continue;
        const auto [failed] = co_await stream.wait(io, kNoThrow);
        if (failed || done_ == nullptr) co_return fail(errno_of(failed), failed.message());
    }
    co_return true;
}

asio::awaitable<bool> UpstreamConnect::exchange(std::span<const std::uint8_t> message,
                                                std::span<std::uint8_t> answer) {
    const bool sent = co_await write(message);
    if (!sent) co_return false;
    const bool received = co_await read(answer);
    co_return received;
}

asio::awaitable<bool> UpstreamConnect::greet_proxy() {
    const Socks5Proxy& proxy = *target_->proxy;
    const std::vector<std::uint8_t> greeting = socks5::greeting(proxy);
    std::array<std::uint8_t, socks5::kMethodBytes> method{};
    bool good = co_await exchange(greeting, method);
    if (!good) co_return fail_at_proxy(out_.why);
    const Result<bool> secret = socks5::wants_password(method, proxy);
    if (!secret) co_return fail_at_proxy(secret.error().text, kProxyRefuses);
    if (!*secret) co_return true;
    const std::vector<std::uint8_t> password = socks5::password(proxy);
    std::array<std::uint8_t, socks5::kStatusBytes> status{};
    good = co_await exchange(password, status);
    if (!good) co_return fail_at_proxy(out_.why);
    const Result<void> taken = socks5::password_taken(status);
    co_return taken || fail_at_proxy(taken.error().text, kProxyRefuses);
}

asio::awaitable<bool> UpstreamConnect::request(std::span<const std::uint8_t> message,
                                               std::vector<std::uint8_t>& reply) {
    reply.resize(socks5::kReplyHeadBytes);
    bool good = co_await exchange(message, reply);
    if (!good) co_return fail_at_proxy(out_.why);
    const Result<std::size_t> rest = socks5::rest_of_reply(reply);
    if (!rest)
        co_return fail_at_proxy("it refused to connect: " + rest.error().text, kProxyRefuses);
    reply.resize(reply.size() + *rest);
    good = co_await read(std::span(reply).subspan(socks5::kReplyHeadBytes));
    co_return good || fail_at_proxy(out_.why);
}

asio::awaitable<bool> UpstreamConnect::pass_proxy() {
    bool good = co_await greet_proxy();
    if (!good) co_return false;
    const std::vector<std::uint8_t> message =
        socks5::request(path_.behind, target_->host, target_->port);
    std::vector<std::uint8_t> reply;
    good = co_await request(message, reply);
    co_return good;
}

// False: there is no relay, which is the proxy's right.
asio::awaitable<bool> UpstreamConnect::find_relay() {
    const std::vector<std::uint8_t> message = socks5::request_relay();
    std::vector<std::uint8_t> reply;
    const bool good = co_await request(message, reply);
    if (!good || done_ == nullptr) co_return false;
    const auto bound = socks5::bound(reply);
    if (!bound || bound->port == 0) co_return false;
    // Many proxies name no address, and mean their own.
    const bool is_own = bound->address == IpAddress{} || is_unspecified_v4(bound->address);
    out_.relay = {is_own ? path_.address : bound->address, bound->port};
    co_return true;
}

asio::awaitable<bool> UpstreamConnect::shake_hands() {
    ByteStream& stream = *out_.stream;
    SslPtr ssl = tls_->new_connection();
    if (ssl == nullptr || !stream.secure(std::move(ssl)))
        co_return fail(ENOMEM, "no memory for TLS");
    for (;;) {
        const Io io = stream.handshake();
        if (io == Io::done) break;
        if (io == Io::failed || io == Io::ended) {
            const bool refused = TlsClient::is_refused(stream.ssl());
            co_return fail(refused ? EKEYREJECTED : EPROTO,
                           (refused ? "" : "TLS failed: ") +
                               tls_->explain(stream.ssl(), stream.why(), "`ca`"));
        }
        const auto [failed] = co_await stream.wait(io, kNoThrow);
        if (failed || done_ == nullptr) co_return fail(errno_of(failed), failed.message());
    }
    const Result<void> good = tls_->check(stream.ssl());
    if (!good) co_return fail(EKEYREJECTED, good.error().text);
    co_return true;
}

}  // namespace steer::stream

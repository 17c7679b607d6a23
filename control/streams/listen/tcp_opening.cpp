#include "control/streams/listen/tcp_opening.h"

#include <utility>

#include "control/host/net/tls_server.h"
#include "control/streams/listen/proxy_header.h"
#include "control/streams/listen/serve_client.h"
#include "control/streams/listen/tcp_clients.h"

namespace steer::stream {

TcpOpening::TcpOpening(StreamContext& context, Injector& injector, ClientConnections& clients,
                       ByteStream stream, const QueryOrigin& origin, bool by_proxy)
    : ClientConnection(by_proxy ? IpAddress{}
                                : clients.service().counted_as(origin.client.address())),
      context_(context),
      injector_(injector),
      clients_(clients),
      stream_(std::move(stream)),
      origin_(origin),
      by_proxy_(by_proxy) {}

void TcpOpening::start() {
    if (!by_proxy_) return secure();
    header_.resize(kProxyFixedBytes);
    read_header();
}

// Reads only the header: the next bytes belong to TLS or the protocol.
void TcpOpening::read_header() {
    while (header_read_ < header_.size()) {
        std::size_t n = 0;
        const Io io = stream_.read(std::span(header_).subspan(header_read_), n);
        if (io == Io::wait_read) return wait(io, &TcpOpening::read_header);
        if (io != Io::done) return fail(StreamCount::tcp_bad_proxy);
        header_read_ += n;
        if (header_read_ == kProxyFixedBytes) {
            const auto length = proxy_header_length(std::span(header_).first<kProxyFixedBytes>());
            if (!length) return fail(StreamCount::tcp_bad_proxy);
            header_.resize(*length);
        }
    }
    if (!take_header()) return fail(StreamCount::tcp_bad_proxy);
    secure();
}

bool TcpOpening::take_header() {
    const auto client = read_proxy_header(header_);
    if (client && client->is_known) origin_.client = SocketAddress(client->address, client->port);
    header_ = {};
    return client.has_value();
}

void TcpOpening::secure() {
    const auto& tls = clients_.service().tls;
    if (tls == nullptr) return hand_over();
    if (!context_.lets_pass(LimitWhat::handshakes,
                            clients_.service().counted_as(origin_.client.address()), origin_.local,
                            origin_.local_port))
        return fail(StreamCount::tls_limited);
    SslPtr ssl = tls->accept();
    if (ssl == nullptr || !stream_.secure(std::move(ssl))) return fail(StreamCount::tls_failed);
    handshake();
}

void TcpOpening::handshake() {
    const Io io = stream_.handshake();
    if (io == Io::wait_read || io == Io::wait_write) return wait(io, &TcpOpening::handshake);
    if (io != Io::done) return fail(StreamCount::tls_failed);
    context_.count(StreamCount::tls_accepted);
    if (SSL_session_reused(stream_.ssl()) != 0) context_.count(StreamCount::tls_resumed);
    hand_over();
}

void TcpOpening::wait(Io what, Step step) {
    stream_.wait(what, [self = shared_from_this(), step](const boost::system::error_code& error) {
        if (self->closed_) return;
        if (error) return self->close();
        (self.get()->*step)();
    });
}

void TcpOpening::fail(StreamCount why) {
    context_.count(why);
    close();
}

void TcpOpening::close() {
    if (closed_) return;
    closed_ = true;
    stream_.close();
    clients_.forget(*this);
}

// Gives its place back and takes one for the new connection.
void TcpOpening::hand_over() {
    closed_ = true;
    ByteStream stream = std::move(stream_);
    clients_.forget(*this);
    if (!clients_.admit(clients_.service().counted_as(origin_.client.address()))) return;
    begin_protocol(context_, injector_, clients_, std::move(stream), origin_);
}

}  // namespace steer::stream

#include "control/stream/tcp_opening.h"

#include <utility>

#include "control/stream/serve_client.h"
#include "control/stream/tcp_clients.h"
#include "control/stream/tls_server.h"

namespace steer::stream {

TcpOpening::TcpOpening(StreamContext& context, Injector& injector, TcpClients& clients,
                       ByteStream stream, const Asker& asker, const IpAddress& counts_for)
    : ClientConnection(counts_for),
      context_(context),
      injector_(injector),
      clients_(clients),
      stream_(std::move(stream)),
      asker_(asker) {}

void TcpOpening::start() {
    SslPtr ssl = clients_.service().tls->accept();
    if (ssl == nullptr || !stream_.secure(std::move(ssl))) return fail();
    handshake();
}

void TcpOpening::handshake() {
    const Io io = stream_.handshake();
    if (io == Io::done) return hand_over();
    if (io == Io::wait_read || io == Io::wait_write) return wait(io);
    fail();
}

void TcpOpening::wait(Io what) {
    stream_.wait(what, [self = shared_from_this()](const boost::system::error_code& error) {
        if (self->closed_) return;
        if (error) return self->fail();
        self->handshake();
    });
}

void TcpOpening::fail() {
    context_.count(StreamCount::tls_failed);
    close();
}

void TcpOpening::close() {
    if (closed_) return;
    closed_ = true;
    stream_.close();
    clients_.forget(*this);
}

// Its place is given back and taken anew for the connection that it becomes.
void TcpOpening::hand_over() {
    closed_ = true;
    ByteStream stream = std::move(stream_);
    clients_.forget(*this);
    if (!clients_.admit(asker_.client.address())) return;
    begin_protocol(context_, injector_, clients_, std::move(stream), asker_);
}

}  // namespace steer::stream

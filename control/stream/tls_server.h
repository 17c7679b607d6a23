// Our side of TLS on a listening socket: what a connection's handshake needs.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "control/stream/byte_stream.h"

namespace steer::stream {

struct SslContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslContextFree>;

class TlsServer {
  public:
    explicit TlsServer(SslContextPtr context) : context_(std::move(context)) {}

    // For one connection, which is to accept. nullptr: no memory. Any thread.
    [[nodiscard]] SslPtr accept() const {
        SslPtr ssl(SSL_new(context_.get()));
        if (ssl != nullptr) SSL_set_accept_state(ssl.get());
        return ssl;
    }

  private:
    SslContextPtr context_;
};

}  // namespace steer::stream

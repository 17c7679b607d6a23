// A client's connection before anything is asked: its TLS handshake. When that is done the
// connection is handed to the class of its protocol (begin_protocol).
//
// Has TcpClients::kOpeningMs for it, whatever it sends in that time.
#pragma once

#include <memory>

#include "control/stream/byte_stream.h"
#include "control/stream/client_connection.h"
#include "control/stream/injector.h"
#include "control/stream/stream_context.h"

namespace steer::stream {

class TcpClients;

class TcpOpening final : public ClientConnection, public std::enable_shared_from_this<TcpOpening> {
  public:
    // `counts_for`: see ClientConnection.
    TcpOpening(StreamContext& context, Injector& injector, TcpClients& clients, ByteStream stream,
               const Asker& asker, const IpAddress& counts_for);

    void start();
    void close() override;
    [[nodiscard]] bool is_idle() const override { return true; }
    [[nodiscard]] bool waits_for_us() const override { return false; }

  private:
    void handshake();
    void wait(Io what);
    void fail();
    void hand_over();

    StreamContext& context_;
    Injector& injector_;
    TcpClients& clients_;
    ByteStream stream_;
    Asker asker_;
    bool closed_ = false;
};

}  // namespace steer::stream

// A client's connection before anything is asked: the PROXY header of one that comes by a proxy, and
// the TLS handshake. When both are done the connection is handed to the class of its protocol
// (begin_protocol), which knows nothing of them.
//
// Has TcpClients::kOpeningMs for both, whatever it sends in that time.
#pragma once

#include <memory>
#include <vector>

#include "control/stream/base/stream_context.h"
#include "control/stream/listen/client_connection.h"
#include "control/stream/listen/injector.h"
#include "control/stream/tls/byte_stream.h"

namespace steer::stream {

class TcpClients;

class TcpOpening final : public ClientConnection, public std::enable_shared_from_this<TcpOpening> {
  public:
    // `by_proxy`: a PROXY header says who it is, and nobody's connections are counted until then.
    TcpOpening(StreamContext& context, Injector& injector, TcpClients& clients, ByteStream stream,
               const QueryOrigin& origin, bool by_proxy);

    void start();
    void close() override;
    [[nodiscard]] bool is_idle() const override { return true; }
    [[nodiscard]] bool waits_for_us() const override { return false; }

  private:
    using Step = void (TcpOpening::*)();
    void read_header();
    bool take_header();
    void secure();
    void handshake();
    // Goes on with `step` when it can.
    void wait(Io what, Step step);
    void fail(StreamCount why);
    void hand_over();

    StreamContext& context_;
    Injector& injector_;
    TcpClients& clients_;
    ByteStream stream_;
    QueryOrigin origin_;
    std::vector<std::uint8_t> header_;  // of the proxy: as long as is known
    std::size_t header_read_ = 0;
    bool by_proxy_;
    bool closed_ = false;
};

}  // namespace steer::stream

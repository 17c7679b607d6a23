// A client's connection before its first query: the PROXY header of a proxy, and the TLS handshake.
// Then the connection is passed to the class of its protocol (begin_protocol), which does not
// depend on them.
//
// Both together may take at most ClientConnections::kOpeningMs.
#pragma once

#include <memory>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/listen/client_connection.h"
#include "control/streams/listen/injector.h"

namespace steer::stream {

class ClientConnections;

class TcpOpening final : public ClientConnection, public std::enable_shared_from_this<TcpOpening> {
  public:
    // `by_proxy`: a PROXY header names the client; until then the connection counts for no client.
    TcpOpening(StreamContext& context, Injector& injector, ClientConnections& clients,
               ByteStream stream, const QueryOrigin& origin, bool by_proxy);

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
    // Continues with `step` when that is possible.
    void wait(Io what, Step step);
    void fail(StreamCount why);
    void hand_over();

    StreamContext& context_;
    Injector& injector_;
    ClientConnections& clients_;
    ByteStream stream_;
    QueryOrigin origin_;
    std::vector<std::uint8_t> header_;  // received part of the proxy's header
    std::size_t header_read_ = 0;
    bool by_proxy_;
    bool closed_ = false;
};

}  // namespace steer::stream

// One attempt to connect to an upstream: TCP, then SOCKS5 if there is a proxy (RFC 1928), then TLS.
// For datagrams it requests a relay from the proxy (UDP ASSOCIATE). If the proxy gives none, it
// connects once more, to the upstream through the proxy.
//
// It ends once, with `done`, from the io_context; or by cancel(), and then `done` is not called. It
// has no timeout: the caller cancels it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/host/net/tls_client.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"

namespace steer::stream {

// The address that takes a proxy's datagrams.
struct RelayAddress {
    IpAddress address;
    std::uint16_t port = 0;
};

struct ConnectedStream {
    std::optional<ByteStream> stream;   // ready to use
    std::optional<RelayAddress> relay;  // `stream` is the association of this relay
    int error = 0;                      // errno if it failed
    std::string why;                    // for messages: "connecting to 192.0.2.1:853 failed: ..."
};

class UpstreamConnect final : public ConnectAttempt,
                              public std::enable_shared_from_this<UpstreamConnect> {
  public:
    using Done = std::function<void(ConnectedStream)>;

    // `tls`: nullptr for none. `wants_relay`: for datagrams; only with a proxy.
    UpstreamConnect(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                    std::shared_ptr<TlsClient> tls, bool wants_relay, const ConnectPath& path,
                    Done done);
    void start();
    void cancel() override;
    [[nodiscard]] std::optional<IpAddress> local() override;

  private:
    // Returns true if it is done, false with the reason in out_.
    boost::asio::awaitable<bool> run();
    boost::asio::awaitable<bool> connect();
    boost::asio::awaitable<bool> greet_proxy();
    boost::asio::awaitable<bool> pass_proxy();
    boost::asio::awaitable<bool> find_relay();
    // Stores the whole reply of the proxy in `reply`.
    boost::asio::awaitable<bool> request(std::span<const std::uint8_t> message,
                                         std::vector<std::uint8_t>& reply);
    boost::asio::awaitable<bool> shake_hands();
    boost::asio::awaitable<bool> write(std::span<const std::uint8_t> bytes);
    boost::asio::awaitable<bool> read(std::span<std::uint8_t> bytes);
    boost::asio::awaitable<bool> exchange(std::span<const std::uint8_t> message,
                                          std::span<std::uint8_t> answer);
    void forget();
    bool fail(int error, std::string why);
    bool fail_at_proxy(const std::string& why, int error = EPROTO);
    [[nodiscard]] std::string doing() const;

    StreamContext& context_;
    const std::shared_ptr<const UpstreamTarget> target_;
    const std::shared_ptr<TlsClient> tls_;
    const bool wants_relay_;
    ConnectPath path_;
    Done done_;
    boost::asio::ip::tcp::socket socket_;
    ConnectedStream out_;
};

}  // namespace steer::stream

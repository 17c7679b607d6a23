// One attempt to connect to an upstream: TCP, then SOCKS5 if there is a proxy (RFC 1928), then TLS.
//
// It ends once, by `done`, from the io_context; or by cancel(), and then `done` is not called. It
// has no patience of its own: who waits for it (upstream_pool.h) gives it up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "control/stream/base/stream_context.h"
#include "control/stream/tls/byte_stream.h"
#include "control/stream/tls/tls_client.h"
#include "control/stream/upstream/upstream_target.h"

namespace steer::stream {

// Where an attempt goes.
struct ConnectPath {
    IpAddress address;  // the upstream's, or the proxy's
    std::uint16_t port = 0;
    std::optional<IpAddress> behind;  // the upstream's that the proxy is told; nothing: its name
};

struct Connected {
    std::optional<ByteStream> stream;  // ready
    int error = 0;                     // errno, if not
    std::string why;                   // for people: "connecting to 192.0.2.1:853 failed: ..."
};

class UpstreamConnect : public std::enable_shared_from_this<UpstreamConnect> {
  public:
    using Done = std::function<void(UpstreamConnect&, Connected)>;

    // `tls`: nullptr for none.
    UpstreamConnect(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                    std::shared_ptr<TlsClient> tls, const ConnectPath& path, Done done);
    void start();
    void cancel();

    [[nodiscard]] const ConnectPath& path() const { return path_; }
    [[nodiscard]] std::uint64_t started_ms() const { return started_ms_; }
    // Our address, as soon as there is one; while it is connecting, too.
    [[nodiscard]] std::optional<IpAddress> local();

  private:
    // True: done. False: out_ says why not.
    boost::asio::awaitable<bool> run();
    boost::asio::awaitable<bool> connect();
    boost::asio::awaitable<bool> pass_proxy();
    boost::asio::awaitable<bool> shake_hands();
    boost::asio::awaitable<bool> write(std::span<const std::uint8_t> bytes);
    boost::asio::awaitable<bool> read(std::span<std::uint8_t> bytes);
    boost::asio::awaitable<bool> exchange(std::span<const std::uint8_t> said,
                                          std::span<std::uint8_t> answer);
    bool fail(int error, std::string why);
    bool fail_at_proxy(const std::string& why);
    [[nodiscard]] std::string doing() const;

    StreamContext& context_;
    const std::shared_ptr<const UpstreamTarget> target_;
    const std::shared_ptr<TlsClient> tls_;
    ConnectPath path_;
    Done done_;
    std::uint64_t started_ms_;
    boost::asio::ip::tcp::socket socket_;
    Connected out_;
};

// What a socket to an upstream needs before it connects: mark, device, VRF. 0 or errno.
int prepare_socket(const StreamContext& context, int socket, const IpAddress& to,
                   std::uint32_t mark, const std::string& device);
// The address that a socket to `to` would have now; nothing: there is no way there.
std::optional<IpAddress> source_towards(const StreamContext& context, const IpAddress& to,
                                        std::uint32_t mark, const std::string& device);

}  // namespace steer::stream

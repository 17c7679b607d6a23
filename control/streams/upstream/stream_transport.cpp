#include "control/streams/upstream/stream_transport.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "control/streams/base/socket_address.h"
#include "control/streams/upstream/http_upstream.h"
#include "control/streams/upstream/relayed_session.h"
#include "control/streams/upstream/upstream_connect.h"

namespace steer::stream {
namespace {

using MakeSession = std::shared_ptr<UpstreamSession> (*)(StreamContext&, ByteStream,
                                                         const UpstreamTarget&, SessionWatcher&);

struct StreamProtocol {
    bool is_secure = false;
    std::vector<std::string> alpn{};
    bool is_multiplexed = false;
    MakeSession make_session = nullptr;
    std::shared_ptr<RelayUse> relay{};  // for datagrams: whether they may use the proxy's relay
};

IpAddress local_address(boost::asio::ip::tcp::socket& socket) {
    SocketAddress here;
    if (::getsockname(socket.native_handle(), here.get(), &here.length) != 0) return {};
    return here.address();
}

class StreamTransport final : public UpstreamTransport {
  public:
    StreamTransport(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                    StreamProtocol protocol)
        : context_(context), target_(std::move(target)), protocol_(std::move(protocol)) {}

    [[nodiscard]] bool is_multiplexed() const override {
        return protocol_.is_multiplexed || uses_relay();
    }
    Result<std::shared_ptr<ConnectAttempt>> connect(const ConnectPath& path,
                                                    SessionWatcher& watcher, Done done) override;

  private:
    [[nodiscard]] bool uses_relay() const {
        return protocol_.relay != nullptr && protocol_.relay->is_allowed(context_.now_ms());
    }

    StreamContext& context_;
    const std::shared_ptr<const UpstreamTarget> target_;
    const StreamProtocol protocol_;
    std::shared_ptr<TlsClient> tls_;  // has the session to resume
};

Result<std::shared_ptr<ConnectAttempt>> StreamTransport::connect(const ConnectPath& path,
                                                                 SessionWatcher& watcher,
                                                                 Done done) {
    if (protocol_.is_secure && tls_ == nullptr) {
        auto made = TlsClient::make(target_->host, protocol_.alpn, target_->trust);
        if (!made) return std::move(made).error();
        tls_ = *std::move(made);
    }
    const bool wants_relay = uses_relay();
    const auto on_stream = [&context = context_, target = target_, &watcher, wants_relay,
                            relay = protocol_.relay, upstream = path.behind,
                            make_session = protocol_.make_session,
                            done = std::move(done)](ConnectedStream got) {
        Connected out{.error = got.error, .why = std::move(got.why)};
        if (got.stream) {
            out.local = local_address(got.stream->socket());
            if (SSL* const ssl = got.stream->ssl()) out.certificate = facts_of_peer(ssl);
            if (got.relay) {
                out.session = make_relayed_session(context, *std::move(got.stream), *got.relay,
                                                   upstream, *target, relay, watcher, out.error);
                if (out.session == nullptr) {
                    relay->pause(context.now_ms());
                    out.why =
                        "no socket to its proxy's relay: " + std::string(std::strerror(out.error));
                }
            } else {
                out.session = make_session(context, *std::move(got.stream), *target, watcher);
                if (wants_relay) relay->pause(context.now_ms());  // the proxy offered none
            }
        }
        done(std::move(out));
    };
    const auto attempt =
        std::make_shared<UpstreamConnect>(context_, target_, tls_, wants_relay, path, on_stream);
    attempt->start();
    return std::shared_ptr<ConnectAttempt>(attempt);
}

}  // namespace

std::unique_ptr<UpstreamTransport> make_tcp_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target) {
    StreamProtocol protocol{.is_multiplexed = target->pipeline, .make_session = make_dns_session};
    return std::make_unique<StreamTransport>(context, std::move(target), std::move(protocol));
}

std::unique_ptr<UpstreamTransport> make_relayed_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target) {
    StreamProtocol protocol{.make_session = make_dns_session,
                            .relay = std::make_shared<RelayUse>()};
    return std::make_unique<StreamTransport>(context, std::move(target), std::move(protocol));
}

std::unique_ptr<UpstreamTransport> make_tls_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target) {
    StreamProtocol protocol{.is_secure = true,
                            .alpn = {"dot"},
                            .is_multiplexed = target->pipeline,
                            .make_session = make_dns_session};
    return std::make_unique<StreamTransport>(context, std::move(target), std::move(protocol));
}

std::unique_ptr<UpstreamTransport> make_https_transport(
    StreamContext& context, std::shared_ptr<const UpstreamTarget> target) {
    StreamProtocol protocol{.is_secure = true,
                            .alpn = {"h2", "http/1.1"},
                            .is_multiplexed = true,
                            .make_session = make_http_session};
    return std::make_unique<StreamTransport>(context, std::move(target), std::move(protocol));
}

}  // namespace steer::stream

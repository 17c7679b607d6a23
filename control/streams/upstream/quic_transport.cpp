#include "control/streams/upstream/quic_transport.h"

#include <utility>

namespace steer::stream {
namespace {

class QuicTransport final : public UpstreamTransport {
  public:
    QuicTransport(QuicUpstreams& quic, std::shared_ptr<const UpstreamTarget> target)
        : quic_(quic), target_(std::move(target)) {}

    [[nodiscard]] bool is_multiplexed() const override { return true; }
    Result<std::shared_ptr<ConnectAttempt>> connect(const ConnectPath& path,
                                                    SessionWatcher& watcher, Done done) override {
        if (tls_ == nullptr) {
            auto made = TlsClient::make(target_->host, {}, target_->trust);
            if (!made) return std::move(made).error();
            tls_ = *std::move(made);
        }
        return quic_.connect({target_, tls_, settings_, path}, watcher, std::move(done));
    }

  private:
    QuicUpstreams& quic_;
    const std::shared_ptr<const UpstreamTarget> target_;
    const std::uint64_t settings_ = QuicUpstreams::number_settings();
    std::shared_ptr<TlsClient> tls_;  // judges certificates
};

}  // namespace

std::unique_ptr<UpstreamTransport> make_quic_transport(
    QuicUpstreams& quic, std::shared_ptr<const UpstreamTarget> target) {
    return std::make_unique<QuicTransport>(quic, std::move(target));
}

}  // namespace steer::stream

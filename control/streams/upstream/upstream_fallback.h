// One upstream over QUIC with another transport beside it, for networks that block QUIC.
//
// The other one is used from the moment that no path of the upstream answers a handshake over QUIC.
// Queries that wait then go to it, too. QUIC is tried again after kFirstPauseMs, without a query,
// then after twice the time, up to kLastPauseMs; once a connection is ready, it is used again. A bad
// answer, or a certificate that is not trusted, starts nothing here. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_pool.h"

namespace steer::stream {

class UpstreamFallback final : public UpstreamChannel {
  public:
    static constexpr std::uint64_t kFirstPauseMs = 10'000, kLastPauseMs = 300'000;

    // `other`: the target with the other transport.
    UpstreamFallback(StreamContext& context, const std::shared_ptr<const UpstreamTarget>& target,
                     const std::shared_ptr<const UpstreamTarget>& other,
                     const std::shared_ptr<UpstreamState>& state,
                     std::unique_ptr<UpstreamTransport> transport,
                     std::unique_ptr<UpstreamTransport> other_transport);
    ~UpstreamFallback() override;

    void ask(UpstreamAsk ask, bool over_tcp) override;
    void tick() override;
    [[nodiscard]] bool is_busy() const override { return first_->is_busy() || other_->is_busy(); }
    void network_changed() override;
    void close() override;

  private:
    void on_reach(bool is_reached, const std::string& why);

    StreamContext& context_;
    const std::shared_ptr<const UpstreamTarget> target_, other_target_;
    const std::shared_ptr<UpstreamState> state_;
    const std::shared_ptr<UpstreamPool> first_, other_;
    bool uses_other_ = false;
    std::uint64_t try_at_ms_ = 0, pause_ms_ = 0;  // of QUIC, while the other one is used
};

// The target of `fallback`.
std::shared_ptr<const UpstreamTarget> fallback_of(const UpstreamTarget& target);

}  // namespace steer::stream

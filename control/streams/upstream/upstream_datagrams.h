// One upstream that is queried over UDP, by name, or by a socket with a mark or an interface. Finds
// the address, and uses UpstreamUdp (and UpstreamTcp after truncation) for queries.
//
// At most kMaxWaiting queries wait for the first address. An address that does not answer is moved
// to the end. A failure of the upstream is reported after kFailures in a row, because datagrams get
// lost. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_name.h"
#include "control/streams/upstream/upstream_reply.h"
#include "control/streams/upstream/upstream_state.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_tcp.h"
#include "control/streams/upstream/upstream_udp.h"

namespace steer::stream {

class UpstreamDatagrams final : public UpstreamChannel,
                                public std::enable_shared_from_this<UpstreamDatagrams> {
  public:
    static constexpr std::size_t kMaxWaiting = 4096;
    static constexpr unsigned kFailures = 3;

    UpstreamDatagrams(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp,
                      std::shared_ptr<const UpstreamTarget> target,
                      std::shared_ptr<UpstreamState> state);

    void ask(UpstreamAsk ask, bool over_tcp) override;
    void tick() override;
    [[nodiscard]] bool is_busy() const override { return false; }  // names and sockets have timers
    void network_changed() override;
    void close() override;

  private:
    struct Waiting {
        UpstreamAsk ask;
        std::uint64_t deadline_ms;
        bool over_tcp;
    };
    void send(UpstreamAsk ask, bool over_tcp);
    void on_name();
    void on_end(const IpAddress& address, int error);

    StreamContext& context_;
    UpstreamUdp& udp_;
    UpstreamTcp& tcp_;
    const std::shared_ptr<const UpstreamTarget> target_;
    const std::shared_ptr<UpstreamState> state_;
    std::shared_ptr<UpstreamName> name_;
    std::list<Waiting> waiting_;
    unsigned failed_in_row_ = 0;
};

}  // namespace steer::stream

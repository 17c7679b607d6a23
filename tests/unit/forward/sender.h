// One worker's forwarder for statistics of ids and ports, and for attacks: one parked query that is
// asked again and again, a million times in a second or two.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/forward/forwarder.h"
#include "world.h"

namespace steer::test {

// How often the long forms of these tests draw: STEER_DRAWS, else `usual`.
unsigned draws(unsigned usual);

class Sender final : public ForwardSink {
  public:
    struct Sent {
        std::uint16_t port = 0, id = 0;  // port 0: by kernel socket
        std::uint64_t token = 0;
        UpstreamVia via = UpstreamVia::udp;
        std::array<std::uint8_t, 512> bytes{};
        std::size_t length = 0;
        [[nodiscard]] std::span<const std::uint8_t> dns() const { return {bytes.data(), length}; }
    };

    Sender(const ForwarderOptions& options, std::string_view name,
           NextHop::Via via = NextHop::Via::port, Channel channel = Channel::none);

    // Asks; `sent` is then the query on the wire.
    void ask();
    // A message of the upstream, or of who pretends to be it, to a port. Its bytes are `message`,
    // with this id.
    Verdict receive(std::uint16_t port, std::uint16_t id);
    // The upstream answers what was sent last, by UDP or TCP.
    void answer();
    // Makes `message` the upstream's response to the query, with the name as it was sent.
    void write_reply(const Sent& to);

    Sent sent;
    std::array<std::uint8_t, 600> message{};
    std::size_t message_length = 0;
    std::uint64_t answered_with_buffer = 0, ended = 0;
    Counters counters;
    Forwarder& forwarder() { return forwarder_; }

    bool send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                    std::span<const std::uint8_t> dns) noexcept override;
    bool send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                        Buffer* query) noexcept override;
    bool send_to_worker(unsigned, const Message&) noexcept override { return false; }
    void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept override;

  private:
    std::unique_ptr<Snapshot> snapshot_ = make_snapshot(1);
    BufferPools buffers_{64, 4};
    forward::LoopBoard loops_;
    Parked parked_{};  // what is not set here is 0
    NextHopTable hops_;
    Now now_{1'000'000};
    Forwarder forwarder_;
};

}  // namespace steer::test

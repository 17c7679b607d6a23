// Sends queries to upstreams: as frames of this worker's ports, as a message to a worker that owns
// a queue of the interface, or as a message to `streams`, which uses a kernel socket.
//
// In:   the forwarder's DNS message and its destination (a NextHop, an Upstream).
// Out:  a packet in Transmit, or a message that owns the buffer.
// Cost: one mbuf (or buffer) and one copy of the query.
// Ends: Stat::upstream_tx_full (by Transmit, and here if another worker's query gets no mbuf).
//       Returns false if no worker has that interface, no mbuf or buffer is free, or a ring is
//       full; the forwarder tries again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/forward/forwarder.h"
#include "dataplane/port/next_hop.h"
#include "dataplane/stages/shared.h"
#include "dataplane/stages/transmit.h"

namespace steer {

class UpstreamSender {
  public:
    // `streams`: number of rings to streams threads. All must outlive this object.
    struct Parts {
        std::span<Port* const> ports;
        const WorkerRings& rings;
        const std::vector<Shared::PortOwner>& owners;
        BufferPools& buffers;
        Transmit& transmit;
        Counters& counters;
        unsigned streams;
    };
    UpstreamSender(unsigned worker, const Parts& parts)
        : worker_(static_cast<std::uint8_t>(worker)), parts_(parts) {}

    [[nodiscard]] bool send(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                            std::span<const std::uint8_t> dns) noexcept;
    // Takes ownership of the buffer if it returns true.
    [[nodiscard]] bool by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                                 Buffer* query) noexcept;
    // MessageKind::send_upstream of another worker; takes ownership of its buffer.
    void send_for_other(const Message& m, const NextHopTable* next_hops) noexcept;

  private:
    struct Endpoint {
        IpAddress address;
        std::uint16_t port;
    };
    [[nodiscard]] int find_port(int if_index) const noexcept;
    [[nodiscard]] bool by_port(unsigned port, const NextHop& hop, std::uint16_t source_port,
                               const Endpoint& to, std::span<const std::uint8_t> dns) noexcept;
    [[nodiscard]] bool by_worker(unsigned worker, std::uint16_t source_port, const Upstream& to,
                                 std::span<const std::uint8_t> dns) noexcept;

    std::uint8_t worker_;
    Parts parts_;
};

}  // namespace steer

// How queries to upstreams leave a worker: as frames of its own ports, or as messages to `streams`,
// which asks by kernel socket.
//
// In:   the DNS message of the forwarder and where it goes (a NextHop, an Upstream).
// Out:  a packet in Transmit, or a message that owns the buffer.
// Cost: one mbuf and one copy of a query.
// Ends: Stat::upstream_tx_full (by Transmit). False: no port of that interface, no mbuf, or a full
//       ring; the forwarder then tries again at its retry.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/forward/forwarder.h"
#include "dataplane/port/next_hop.h"
#include "dataplane/transmit.h"
#include "dataplane/worker.h"

namespace steer {

class UpstreamSender {
  public:
    // `streams`: how many rings to them there are.
    UpstreamSender(unsigned worker, std::span<Port* const> ports, const WorkerRings& rings,
                   unsigned streams, Transmit& transmit)
        : worker_(static_cast<std::uint8_t>(worker)),
          ports_(ports),
          rings_(rings),
          streams_(streams),
          transmit_(transmit) {}

    [[nodiscard]] bool by_port(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                               std::span<const std::uint8_t> dns) noexcept;
    // Takes over the buffer if true.
    [[nodiscard]] bool by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                                 Buffer* query) noexcept;

  private:
    std::uint8_t worker_;
    std::span<Port* const> ports_;
    const WorkerRings& rings_;
    unsigned streams_;
    Transmit& transmit_;
};

}  // namespace steer

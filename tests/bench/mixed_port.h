// A port in front of another one. It changes every Nth query that it receives to a new name, and answers at once what is sent
// to the upstream.
//
// The frames are those of tests/bench/cached.py: Ethernet, IPv4 without options, UDP, and a name whose first label has
// eight letters, which are written over. The upstream says one address of a few, TTL 3600.
// The cost of both is the worker's, and the same whatever the worker runs.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/port/port.h"

namespace steer::bench {

class MixedPort final : public Port {
  public:
    // `inner` outlives it. One of `every` queries is for a new name; 0: none. Its if_index() is kUpstreamIndex.
    MixedPort(Port& inner, unsigned every);
    ~MixedPort() override;
    MixedPort(const MixedPort&) = delete;
    MixedPort& operator=(const MixedPort&) = delete;

    static constexpr int kUpstreamIndex = 1000;  // NextHop::if_index of the upstream

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override;
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override;
    void flush() noexcept override { inner_.flush(); }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return inner_.pool(); }

  private:
    void ask_anew(rte_mbuf& query) noexcept;
    bool answer(rte_mbuf& query) noexcept;

    Port& inner_;
    unsigned every_, left_;
    std::uint64_t asked_ = 0;
    std::vector<rte_mbuf*> replies_;  // that rx() returns next
};

}  // namespace steer::bench

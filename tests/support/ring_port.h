// A port whose far side is the test: frames go in by send(), what the port sent comes out of receive().
// One thread turns both sides. EAL must be up (eal_fixture.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/port/port.h"

struct rte_ring;

namespace steer::test {

using Frame = std::vector<std::uint8_t>;

class RingPort {
  public:
    // `name` is unique among those alive; `if_index` is what NextHop::if_index says to send here. The
    // port's MAC is 02:00:00:00:00:NN, NN counting from 1 in order of making. Aborts without memory.
    explicit RingPort(const std::string& name, int if_index = 0, unsigned mbufs = 4095);
    ~RingPort();
    RingPort(const RingPort&) = delete;
    RingPort& operator=(const RingPort&) = delete;

    [[nodiscard]] Port& port();

    // Puts a frame on the port's wire; false if 1023 are there that rx() did not take, or no mbuf is left.
    // `offloads`: rte_mbuf::ol_flags, as a device would set them.
    bool send(std::span<const std::uint8_t> frame, std::uint64_t offloads = 0);
    // The next frame that tx() sent; empty: none.
    Frame receive();
    std::vector<Frame> receive_all();
    // mbufs of the port's pool that are not in it: for leak checks.
    [[nodiscard]] unsigned mbufs_in_use() const;

  private:
    class RingQueuePort;
    std::string device_;  // as DPDK knows it
    rte_ring* to_port_;
    rte_ring* from_port_;
    std::unique_ptr<RingQueuePort> port_;
};

}  // namespace steer::test

// A port that makes its queries itself, for more names than a pcap can have: "0000002a.svc.example.com" A, as Ethernet, IPv4 and
// UDP, every other one with EDNS. The next name is drawn each time.
//
// Its cost is the worker's, and the same for any number of names; own_ns() measures it. Every 64th answer is compared with
// what numbered_address() says.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/draw.h"
#include "dataplane/port/port.h"

namespace steer::bench {

// The name at this place, and the addresses of its answer.
std::string numbered_name(std::uint32_t place);
std::array<std::uint8_t, 4> numbered_address(std::uint32_t place, unsigned record);

class NamePort final : public Port {
  public:
    struct Options {
        std::uint32_t names = 0;
        std::uint32_t clients = 1U << 16;  // that ask, from 10.0.0.0 on; at most 2^24
        unsigned mbufs = 131'072;
        unsigned records = 2;  // of each answer
    };
    // EAL is up. `name` is unique among those alive.
    NamePort(const std::string& name, const Options& options);
    ~NamePort() override;
    NamePort(const NamePort&) = delete;
    NamePort& operator=(const NamePort&) = delete;

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override;
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override;
    [[nodiscard]] rte_mempool* pool() const noexcept override { return pool_; }

    // Any thread: from now on names are drawn by Zipf's law, or uniformly, as at the start.
    void draw_by_zipf(bool by_zipf) { by_zipf_.store(by_zipf, std::memory_order_relaxed); }

    // Nanoseconds of this thread for a query that is made and freed. Before a worker has the port.
    double own_ns(bool by_zipf);
    // Once its worker has ended.
    [[nodiscard]] std::uint64_t compared() const { return compared_; }
    [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

  private:
    using Frame = std::vector<std::uint8_t>;
    void write(rte_mbuf& mbuf, Draw& draw) noexcept;
    void compare(const rte_mbuf& answer) noexcept;

    const Options options_;
    rte_mempool* pool_;
    std::array<Frame, 2> frames_;  // without and with EDNS
    Draw alike_, zipf_;
    std::atomic<bool> by_zipf_ = false;
    std::uint32_t number_ = 0;  // of queries
    std::uint64_t sent_ = 0, compared_ = 0, wrong_ = 0;
};

}  // namespace steer::bench

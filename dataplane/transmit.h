// Collects what leaves through ports and sends it in bursts, once per turn or when a lane is full.
//
// What a packet is counted as is decided when it is put here and counted when the port takes it;
// what the port does not take is freed and counted as dropped. So every table of verdicts sums to
// what went in.
//
// Ends: Verdict::drop_tx_full, ParkedEnd::drop_tx_full, Stat::upstream_tx_full.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/port/port.h"

namespace steer {

class Transmit {
  public:
    Transmit(std::span<Port* const> ports, Counters& counters);

    // Each takes over the mbuf. `port` is an index in the worker's ports.
    void put(unsigned port, rte_mbuf* m, Verdict v) noexcept {
        put(port, m, {Table::verdict, index(v)});
    }
    void put(unsigned port, rte_mbuf* m, ParkedEnd e) noexcept {
        put(port, m, {Table::parked, index(e)});
    }
    void put_upstream_query(unsigned port, rte_mbuf* m) noexcept {
        put(port, m, {Table::upstream, 0});
    }

    // Sends all lanes and lets the ports kick their devices. True if there was something.
    bool flush() noexcept;

  private:
    enum class Table : std::uint8_t { verdict, parked, upstream };
    struct Tally {
        Table table;
        std::uint8_t row;
        bool operator==(const Tally&) const = default;
    };
    struct Lane {
        Port* port;
        unsigned count = 0;
        std::array<rte_mbuf*, kBurst> mbufs;
        std::array<Tally, kBurst> tallies;
    };
    template <class E>
    static std::uint8_t index(E e) {
        return static_cast<std::uint8_t>(e);
    }

    void put(unsigned port, rte_mbuf* m, Tally t) noexcept {
        Lane& lane = lanes_[port];
        lane.mbufs[lane.count] = m;
        lane.tallies[lane.count] = t;
        if (++lane.count == kBurst) send(lane);
    }
    void send(Lane& lane) noexcept;
    void count_sent(Tally t, unsigned n) noexcept;
    void count_dropped(Tally t) noexcept;

    std::vector<Lane> lanes_;
    Counters& counters_;
};

}  // namespace steer

// Collects packets and sends them in bursts, once per turn or when a lane is full. Packets for
// another worker's port go to that worker, also in bursts (MessageKind::send_frame): a worker never
// sends on a queue that it does not own.
//
// A packet gets its verdict when it is added. The verdict is counted when the port accepts the
// packet. Packets that the port does not accept are freed and counted as dropped. So every table of
// verdicts sums to the number of received packets.
//
// Ends: Verdict::drop_tx_full, PendingOutcome::drop_tx_full, Stat::upstream_tx_full; in another
//       worker's lane Moved::drop_tx_full; of other workers' frames
//       Stat::frames_for_others_dropped.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/counters.h"
#include "dataplane/base/message.h"
#include "dataplane/base/ring.h"
#include "dataplane/port/port.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/capture.h"
#include "dataplane/stages/query_record.h"

namespace steer {

class Transmit {
  public:
    // `to_worker`: rings to the other workers, by index; nullptr where there is none. `capture` may
    // be nullptr.
    Transmit(unsigned worker, std::span<Port* const> ports,
             std::span<Ring<Message>* const> to_worker, Counters& counters,
             Capture* capture = nullptr);
    ~Transmit();
    Transmit(const Transmit&) = delete;
    Transmit& operator=(const Transmit&) = delete;

    // Lanes: first the worker's ports, by index, then one for each worker.
    [[nodiscard]] std::uint8_t lane_of_worker(unsigned worker) const noexcept {
        return static_cast<std::uint8_t>(own_lanes_ + worker);
    }

    // Takes ownership of the mbuf. In another worker's lane, mbuf.port is the index of its port,
    // and `v` is counted as the Moved with that name.
    void put(unsigned port, rte_mbuf* m, Verdict v) noexcept {
        put(port, m, {Table::verdict, index(v)});
    }
    void put(unsigned port, rte_mbuf* m, PendingOutcome e) noexcept {
        put(port, m, {Table::parked, index(e)});
    }
    void put_upstream_query(unsigned port, rte_mbuf* m) noexcept {
        put(port, m, {Table::upstream, 0});
    }

    // Sets the record of the next packet; the record notes it if the packet is dropped. May be
    // nullptr.
    void record_of_next(unsigned port, QueryRecord* record) noexcept {
        Lane& lane = lanes_[port];
        if (record == nullptr) return;
        lane.records[lane.count] = record;
        lane.recorded |= 1U << lane.count;
    }

    // Sends a frame that another worker finished.
    void put_for_other(unsigned port, rte_mbuf* m) noexcept { put(port, m, {Table::other, 0}); }

    // Sends all lanes and flushes the ports. Returns true if there were packets.
    bool flush() noexcept;

  private:
    enum class Table : std::uint8_t { verdict, moved, parked, upstream, other };
    struct Tally {
        Table table;
        std::uint8_t row;
        bool operator==(const Tally&) const = default;
    };
    struct alignas(64) Lane {           // shares no cache line with another worker
        Port* port = nullptr;           // a lane has either a port or a ring
        Ring<Message>* ring = nullptr;  // to the worker that owns the lane
        unsigned count = 0;
        std::uint32_t recorded = 0;  // bit i: packet i has a record
        bool mixed = false;          // not all tallies are equal
        std::array<rte_mbuf*, kBurst> mbufs;
        std::array<Tally, kBurst> tallies;
        std::array<QueryRecord*, kBurst> records;
    };
    static_assert(sizeof(Lane) % 64 == 0);
    template <class E>
    static std::uint8_t index(E e) {
        return static_cast<std::uint8_t>(e);
    }

    void put(unsigned port, rte_mbuf* m, Tally t) noexcept {
        Lane& lane = lanes_[port];
        lane.mbufs[lane.count] = m;
        lane.tallies[lane.count] = t;
        lane.mixed |= t != lane.tallies[0];
        if (++lane.count == kBurst) send(lane);
    }
    void send(Lane& lane) noexcept;
    void hand_over(Lane& lane) noexcept;
    void count_taken(Lane& lane, unsigned taken) noexcept;
    void count_sent(Tally t, unsigned n) noexcept;
    void count_dropped(Tally t) noexcept;

    std::vector<Lane> lanes_;
    unsigned own_lanes_;
    std::uint8_t worker_;
    Counters& counters_;
    Capture* capture_;
};

}  // namespace steer

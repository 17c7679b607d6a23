// Answers and forwards queries without any DNS: what a machine needs for the same port, packets and
// tables. `bench_bare` runs it in our place, and its cost is the floor of a bench.
//
// Frames are Ethernet, IPv4 without options and UDP. A reply is its query turned round, with the
// records of an entry behind it, so it is right for a query without EDNS. A forwarded packet has a
// UDP checksum of 0, which IPv4 permits.
#pragma once

#include <rte_ether.h>
#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/port/port.h"

namespace steer::bench {

struct BareOptions {
    std::uint32_t entries = 1'000;
    unsigned records = 2;  // of an entry ...
    bool one_to = false;   // ... or from one to so many
    // Forwards each query to this upstream instead, from `own`. IPv4 in network order; 0: it answers.
    std::uint32_t upstream = 0, own = 0;
    std::uint16_t upstream_port = 53;                                        // host order
    static constexpr std::uint16_t kFirstPort = 20'000, kLastPort = 36'383;  // of the queries to it
};

// Memory as large as a cache's. An answer reads as many of its lines as a hit of the shared cache
// reads at least: a bucket, a key, and three of the entry.
class BareTable {
  public:
    struct alignas(64) Entry {
        std::uint32_t length = 0;  // of the records
        // What the records and longer lengths add to the UDP checksum: behind an even, and behind an
        // odd number of bytes.
        std::array<std::uint16_t, 2> sums{};
        alignas(64) std::array<std::uint64_t, 8> name{};
        alignas(64) std::array<std::uint8_t, 64> records{};
    };
    // EAL is up. Fails without memory.
    explicit BareTable(const BareOptions& options);

    // Each client and port has its entry, so that a file of queries reads the same ones again.
    [[nodiscard]] std::uint32_t place_of(const rte_mbuf& query) const noexcept;
    void prefetch(std::uint32_t place) const noexcept;
    [[nodiscard]] const Entry& read(std::uint32_t place) noexcept;
    [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }  // of what was read

  private:
    struct alignas(64) Bucket {
        std::array<std::uint64_t, 8> words{};
    };
    using Key = std::array<std::uint64_t, 2>;
    struct Free {
        void operator()(void* memory) const;
    };
    template <class T>
    using Block = std::unique_ptr<T[], Free>;
    template <class T>
    static Block<T> take(std::size_t count);

    std::uint32_t entries_;
    Block<Bucket> buckets_;
    Block<Key> keys_;
    Block<Entry> all_;
    std::uint64_t sum_ = 0;
};

// One worker on one port.
class BareAnswerer {
  public:
    BareAnswerer(Port& port, const BareOptions& options);

    // One turn, as Worker::poll(). True if there was work. The packets of a turn are sent in the
    // next one, so that what they read has a burst's time to come.
    bool turn() noexcept;
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] std::uint64_t sum() const noexcept { return table_.sum(); }

  private:
    static constexpr unsigned kBurst = 32;
    struct Held {
        rte_mbuf* mbuf;
        std::uint32_t place;
    };
    struct Asker {  // of a query that the upstream has
        std::uint32_t address;
        std::uint16_t port;
    };

    void answer(rte_mbuf& query, std::uint32_t place) noexcept;
    void forward(rte_mbuf& packet) noexcept;
    void send_held() noexcept;

    Port& port_;
    const BareOptions options_;
    BareTable table_;
    std::vector<Asker> askers_;
    std::uint16_t next_asker_ = 0;
    std::array<Held, kBurst> held_{};
    unsigned held_count_ = 0;
    std::uint64_t received_ = 0, sent_ = 0;
};

}  // namespace steer::bench

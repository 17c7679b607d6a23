#include "dataplane/stages/software_rss.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <bit>

#include "dataplane/stages/classify.h"

namespace steer {
namespace {

constexpr std::uint8_t kMoved = 0xff;

// Moved queries hold mbufs of the port, which it needs for receiving. All rings together may hold a
// quarter of the smallest pool.
unsigned mbufs_for_each_ring(std::span<Port* const> ports, unsigned workers) {
    unsigned least = UINT32_MAX;
    for (const Port* p : ports)
        least = std::min(least, p->pool()->size);
    return std::max(1U, least / 4 / std::max(1U, workers - 1));
}

}  // namespace

// Not keyed: a client that chooses its worker gains no more than by choosing a NIC's queue.
unsigned worker_of_flow(const IpAddress& client, std::uint16_t port, unsigned workers) noexcept {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15, kOther = 0xd6e8feb86659fd93;
    std::uint64_t h = (client.high() ^ std::rotl(client.low(), 32)) * kOdd;
    h = (h ^ (h >> 32) ^ port) * kOther;
    h ^= h >> 32;
    return static_cast<unsigned>((h & UINT32_MAX) * workers >> 32);
}

SoftwareRss::SoftwareRss(const WorkerOptions& options, std::span<Port* const> ports,
                         const WorkerRings& rings, Counters& counters)
    : rings_(rings),
      counters_(counters),
      workers_(options.workers),
      spread_below_(options.spread ? options.workers : 0),
      most_waiting_(mbufs_for_each_ring(ports, options.workers)),
      worker_(static_cast<std::uint8_t>(options.index)) {}

void SoftwareRss::spread(Burst& burst) noexcept {
    Targets targets;
    std::uint32_t wanted = 0;  // bit w: some go to worker w
    static_assert(kMaxWorkers <= 32);
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const Packet& p = burst.packets[burst.live[i]];
        const unsigned w = worker_of_flow(p.client.address, p.client.port, workers_);
        targets[burst.live[i]] = static_cast<std::uint8_t>(w);
        wanted |= 1U << w;
    }
    wanted &= ~(1U << worker_);
    for (; wanted != 0; wanted &= wanted - 1) {
        move_to(static_cast<unsigned>(std::countr_zero(wanted)), burst, targets);
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        if (targets[place] != kMoved)
            burst.live[kept++] = place;
        else
            burst.cookie_ends &= ~(1U << place);  // the message belongs to another worker now
    }
    burst.live_count = kept;
}

void SoftwareRss::move_to(unsigned worker, const Burst& burst, Targets& targets) noexcept {
    Ring<Message>* const ring = rings_.to_worker[worker];
    if (ring == nullptr) return;
    const unsigned most = room_at(*ring);
    std::array<Message, kBurst> messages;
    std::array<std::uint8_t, kBurst> places;
    unsigned n = 0;
    for (unsigned i = 0; i < burst.live_count && n < most; ++i) {
        const std::uint8_t place = burst.live[i];
        if (targets[place] != worker) continue;
        const Packet& p = burst.packets[place];
        p.mbuf->port = p.port;
        messages[n] = moved_query(p);
        messages[n].from = worker_;
        places[n++] = place;
    }
    const unsigned moved = ring->push_some(messages.data(), n);
    for (unsigned i = 0; i < moved; ++i)
        targets[places[i]] = kMoved;
    counters_.add(Verdict::query_moved, moved);
}

// Half of a ring is reserved for queries that cannot be served here.
unsigned SoftwareRss::room_at(const Ring<Message>& ring) const noexcept {
    const unsigned capacity = ring.capacity();
    const unsigned most = std::min(most_waiting_, (capacity + 1) / 2);
    const unsigned waiting = capacity - ring.room();
    return waiting < most ? most - waiting : 0;
}

}  // namespace steer

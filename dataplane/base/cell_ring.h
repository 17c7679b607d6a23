// An SPSC ring of records of different lengths: rte_ring with cells of 64 bytes.
//
// A record is one to kMaxCells cells, contiguous in memory. Its first two bytes are its number of cells (host
// order). The pusher reserves the space, writes in place, and publishes all records of a turn at once, so it may still
// change a record until then. A record is pushed as a whole or not at all; the caller counts what found no room. Neither
// side waits, and the popper is not woken: it looks when it likes.
#pragma once

#include <rte_ring_elem.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "dataplane/base/ring.h"

namespace steer {

class CellRing {
  public:
    static constexpr std::size_t kCell = 64;  // bytes
    static constexpr unsigned kMaxCells = 0x7fff;
    static constexpr unsigned cells_for(std::size_t bytes) {
        return static_cast<unsigned>((bytes + kCell - 1) / kCell);
    }

    // `cells` is a power of two; cells - 1 fit. EAL must be up. Aborts if there is no memory.
    explicit CellRing(unsigned cells) {
        char name[RTE_RING_NAMESIZE];
        std::snprintf(name, sizeof name, "steer_%u", ring_serial.fetch_add(1));
        ring_ =
            rte_ring_create_elem(name, kCell, cells, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (ring_ == nullptr) {
            std::fprintf(stderr, "no memory for a ring of %u cells of %zu bytes\n", cells, kCell);
            std::abort();
        }
    }
    ~CellRing() { rte_ring_free(ring_); }
    CellRing(const CellRing&) = delete;
    CellRing& operator=(const CellRing&) = delete;

    [[nodiscard]] unsigned capacity() const noexcept { return rte_ring_get_capacity(ring_); }

    // ---- the pusher

    // Space for a record, aligned to kCell; its first two bytes are set. nullptr: there is no room. The popper sees it
    // after publish().
    [[nodiscard]] void* reserve(unsigned cells) noexcept {
        if (reserved_ == 0) {
            reserved_ =
                rte_ring_enqueue_zc_burst_elem_start(ring_, kCell, capacity(), &space_, nullptr);
            used_ = 0;
        }
        // The part before the ring's end is left out if the record does not fit there.
        const bool in_first = used_ < space_.n1 && cells <= space_.n1 - used_;
        const unsigned left_out = in_first || used_ >= space_.n1 ? 0 : space_.n1 - used_;
        if (reserved_ == 0 || cells > kMaxCells || used_ + left_out + cells > reserved_)
            return nullptr;
        if (left_out > 0) mark(cell(used_), kLeftOut | left_out);
        used_ += left_out;
        void* const record = cell(used_);
        mark(record, cells);
        used_ += cells;
        return record;
    }
    // Makes what was reserved visible to the popper. Once per turn.
    void publish() noexcept {
        if (reserved_ == 0) return;
        rte_ring_enqueue_zc_elem_finish(ring_, used_);
        reserved_ = 0;
    }

    // ---- the popper

    // Calls `look` with each record that was published so far (whole cells, valid during the call), then frees their
    // space, also if `look` throws. Returns the number of records.
    template <class Look>
    unsigned for_each(Look&& look) {
        rte_ring_zc_data found{};
        const Freed freed{
            ring_, rte_ring_dequeue_zc_burst_elem_start(ring_, kCell, capacity(), &found, nullptr)};
        const unsigned first = std::min<unsigned>(freed.cells, found.n1);
        return walk(found.ptr1, first, look) + walk(found.ptr2, freed.cells - first, look);
    }

  private:
    static constexpr unsigned kLeftOut = 0x8000;

    struct Freed {
        rte_ring* ring;
        unsigned cells;
        ~Freed() {
            if (cells > 0) rte_ring_dequeue_zc_elem_finish(ring, cells);
        }
    };

    static void mark(void* record, unsigned cells) noexcept {
        const auto number = static_cast<std::uint16_t>(cells);
        std::memcpy(record, &number, sizeof number);
    }
    [[nodiscard]] void* cell(unsigned i) const noexcept {
        return i < space_.n1 ? static_cast<std::uint8_t*>(space_.ptr1) + i * kCell
                             : static_cast<std::uint8_t*>(space_.ptr2) + (i - space_.n1) * kCell;
    }
    template <class Look>
    static unsigned walk(const void* from, unsigned cells, Look& look) {
        const auto* at = static_cast<const std::uint8_t*>(from);
        const std::uint8_t* const end = at + cells * kCell;
        unsigned records = 0;
        while (at < end) {
            std::uint16_t n;
            std::memcpy(&n, at, sizeof n);
            const std::size_t bytes = (n & kMaxCells) * kCell;
            if ((n & kLeftOut) == 0) {
                look(std::span<const std::uint8_t>{at, bytes});
                ++records;
            }
            at += bytes;
        }
        return records;
    }

    rte_ring* ring_;
    // The pusher's: what it may write before it publishes, and how much of it is used.
    rte_ring_zc_data space_{};
    unsigned reserved_ = 0, used_ = 0;
};

}  // namespace steer

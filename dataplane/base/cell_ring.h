// An SPSC ring of records with different lengths: an rte_ring with cells of 64 bytes.
//
// A record has 1 to kMaxCells contiguous cells. Its first two bytes are the number of its cells
// (host order). The pusher reserves space, writes in place, and publishes all records of a turn at
// once. It may change a record until then. A record is pushed completely or not at all; the caller
// counts records that do not fit. Neither side waits. The pusher does not wake the popper, which
// polls.
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

#include "dataplane/base/memory_node.h"
#include "dataplane/base/ring.h"

namespace steer {

class CellRing {
  public:
    static constexpr std::size_t kCell = 64;  // bytes
    static constexpr unsigned kMaxCells = 0x3fff;
    static constexpr unsigned cells_for(std::size_t bytes) {
        return static_cast<unsigned>((bytes + kCell - 1) / kCell);
    }

    // `cells` must be a power of two; the ring holds cells - 1. EAL must be initialized. Aborts if
    // there is no memory.
    explicit CellRing(unsigned cells) {
        char name[RTE_RING_NAMESIZE];
        std::snprintf(name, sizeof name, "steer_%u", ring_serial.fetch_add(1));
        ring_ =
            rte_ring_create_elem(name, kCell, cells, memory_node(), RING_F_SP_ENQ | RING_F_SC_DEQ);
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

    // Returns space for a record, aligned to kCell, with its first two bytes set; nullptr if the
    // ring is full. The popper sees the record after publish(). At least `spare` cells stay free.
    [[nodiscard]] void* reserve(unsigned cells, unsigned spare = 0) noexcept {
        if (reserved_ == 0) {
            reserved_ =
                rte_ring_enqueue_zc_burst_elem_start(ring_, kCell, capacity(), &space_, nullptr);
            used_ = 0;
        }
        // A record is contiguous. If it does not fit before the ring's end, that part is skipped.
        const bool in_first = used_ < space_.n1 && cells <= space_.n1 - used_;
        const unsigned left_out = in_first || used_ >= space_.n1 ? 0 : space_.n1 - used_;
        if (reserved_ == 0 || cells > kMaxCells || used_ + left_out + cells + spare > reserved_)
            return nullptr;
        if (left_out > 0) mark(cell(used_), kLeftOut | left_out);
        used_ += left_out;
        void* const record = cell(used_);
        mark(record, cells);
        used_ += cells;
        return record;
    }
    // Prefetches the cells that the next record of usual length is written to; the popper read them
    // last. For the first record of a turn.
    void prefetch() const noexcept {
        if (next_ == nullptr) return;
        constexpr unsigned kRecord = 4;
        for (unsigned i = 0; i < kRecord; ++i)
            __builtin_prefetch(static_cast<const std::uint8_t*>(next_) + i * kCell, 1);
    }
    // Pushes a mark that ends the popper's read(). Needs one free cell. False: there is none.
    [[nodiscard]] bool push_end() noexcept {
        void* const end = reserve(1);
        if (end != nullptr) mark(end, kEnd | 1U);
        return end != nullptr;
    }
    // Whether the popper has taken all records. False while some are not published.
    [[nodiscard]] bool is_empty() const noexcept {
        return reserved_ == 0 && waiting_in(*ring_) == 0;
    }
    // Makes the reserved records visible to the popper. Called once per turn.
    void publish() noexcept {
        if (reserved_ == 0) return;
        next_ = cell(used_);
        rte_ring_enqueue_zc_elem_finish(ring_, used_);
        reserved_ = 0;
    }

    // ---- the popper

    struct Read {
        unsigned records;
        bool is_at_end;  // it reached a push_end(), and took that
    };
    // Calls `visit` with each published record (complete cells, valid during the call), until a
    // push_end(). Then frees their space, even if `visit` throws.
    template <class Visit>
    Read read(Visit&& visit) {
        rte_ring_zc_data found{};
        const unsigned cells =
            rte_ring_dequeue_zc_burst_elem_start(ring_, kCell, capacity(), &found, nullptr);
        if (cells == 0) return {0, false};
        Freed freed{ring_, 0};
        const unsigned first = std::min<unsigned>(cells, found.n1);
        const Read before = walk(found.ptr1, first, visit, freed.cells);
        if (before.is_at_end) return before;
        const Read behind = walk(found.ptr2, cells - first, visit, freed.cells);
        return {before.records + behind.records, behind.is_at_end};
    }
    // The same for a ring without push_end(). Returns the number of records.
    template <class Visit>
    unsigned for_each(Visit&& visit) {
        return read(visit).records;
    }

  private:
    static constexpr unsigned kLeftOut = 0x8000, kEnd = 0x4000;

    struct Freed {
        rte_ring* ring;
        unsigned cells;
        ~Freed() { rte_ring_dequeue_zc_elem_finish(ring, cells); }
    };

    static void mark(void* record, unsigned cells) noexcept {
        const auto number = static_cast<std::uint16_t>(cells);
        std::memcpy(record, &number, sizeof number);
    }
    [[nodiscard]] void* cell(unsigned i) const noexcept {
        return i < space_.n1 ? static_cast<std::uint8_t*>(space_.ptr1) + i * kCell
                             : static_cast<std::uint8_t*>(space_.ptr2) + (i - space_.n1) * kCell;
    }
    // Adds the cells that were read to `taken`.
    template <class Visit>
    static Read walk(const void* from, unsigned cells, Visit& visit, unsigned& taken) {
        const auto* at = static_cast<const std::uint8_t*>(from);
        const std::uint8_t* const end = at + cells * kCell;
        unsigned records = 0;
        while (at < end) {
            std::uint16_t n;
            std::memcpy(&n, at, sizeof n);
            const unsigned length = n & kMaxCells;
            taken += length;
            if ((n & kEnd) != 0) return {records, true};
            if ((n & kLeftOut) == 0) {
                visit(std::span<const std::uint8_t>{at, length * kCell});
                ++records;
            }
            at += length * kCell;
        }
        return {records, false};
    }

    rte_ring* ring_;
    // Owned by the pusher: the space that it may write before it publishes, and the part in use.
    rte_ring_zc_data space_{};
    unsigned reserved_ = 0, used_ = 0;
    const void* next_ = nullptr;  // where the next record begins; only for prefetch()
};

}  // namespace steer

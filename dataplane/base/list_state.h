// The state of a policy list's router as workers see it: shared words, one cache line per list,
// and one that counts changes.
//
// Only thread `routers` writes; workers read. A list is one `ros_address_list`, `ipset` or
// `nftset` plugin. If only some routers of a `ros_address_list` serve a group of clients, this
// group has a list of its own. A ListId belongs to one stable name (the plugin's tag and its
// routers or sets) and lives as long as the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace steer {

using ListId = std::uint16_t;
inline constexpr std::size_t kMaxLists = 1024;

class alignas(64) ListState {
  public:
    // The number of the present epoch, from 1.
    [[nodiscard]] std::uint32_t epoch() const noexcept {
        return epoch_.load(std::memory_order_relaxed);
    }
    // Increases when a claim was refused, evicted or lost. Claim words of requested rows include it
    // (claim_word.h).
    [[nodiscard]] std::uint32_t failures() const noexcept {
        return failures_.load(std::memory_order_acquire);
    }
    // Number of rows that end before the time that was known. Claim words of rows that exist
    // include it.
    [[nodiscard]] std::uint32_t losses() const noexcept {
        return losses_.load(std::memory_order_acquire);
    }

    std::atomic<bool> away{true};  // true: answers do not wait for the list's router
    // The row board may have a mark of this list until then; 0: it never had one.
    std::atomic<std::uint32_t> marked_until_s{0};
    // The latest expiry of the marks that the row board evicted; 0: none was evicted.
    std::atomic<std::uint32_t> evicted_until_s{0};

  private:
    friend class ListStates;
    std::atomic<std::uint32_t> epoch_{1}, failures_{0}, losses_{0};
};

static_assert(sizeof(ListState) == 64, "a list's word changes without the others' readers");

class ListStates {
  public:
    ListState& operator[](ListId list) noexcept { return states_[list]; }
    const ListState& operator[](ListId list) const noexcept { return states_[list]; }

    // Call it when what we know about the list's rows becomes invalid (reboot, reconnect).
    void begin_epoch(ListId list) noexcept { step(states_[list].epoch_); }
    // Call it when claims were refused or given up, or rows were lost, after the row board shows
    // it. A worker that reads failures() before the row board then finds that. Each call makes all
    // answers of the list whose rows were only requested ask again.
    void count_failure(ListId list) noexcept { step(states_[list].failures_); }
    // Call it after the row board says that a row ends earlier than was known. A worker that reads
    // losses() before the row board then finds the new end.
    void count_loss(ListId list) noexcept { step(states_[list].losses_); }
    // 1 plus the number of these calls, for all lists. A worker reads it before the lists'
    // numbers: while it is unchanged, so are they.
    [[nodiscard]] std::uint64_t changes() const noexcept {
        return changes_.load(std::memory_order_acquire);
    }

  private:
    void step(std::atomic<std::uint32_t>& number) noexcept {
        number.fetch_add(1, std::memory_order_release);
        changes_.fetch_add(1, std::memory_order_release);
    }

    std::array<ListState, kMaxLists> states_;
    // Its own line: workers with a packet cache read it once a burst.
    alignas(64) std::atomic<std::uint64_t> changes_{1};
};

}  // namespace steer

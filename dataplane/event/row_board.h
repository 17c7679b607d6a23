// The row board: which (list, address) is known to be on its router, and until when.
//
// One rte_hash; one writer (`routers`), lock-free readers (workers, registered with `qsbr`). A reader pays one
// lookup per address. A value is {installed_until, epoch} in 64 bits, so that it is read and replaced whole.
// Beside it an address may have one more entry: until when the list does without it (`shared: skip`).
// What was removed keeps its place until the readers' next quiescent states. The hash is keyed by a random word of
// this process, because the addresses are in the hands of whoever answers for a policy domain.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"

struct rte_hash;
struct rte_rcu_qsbr;

namespace steer {

inline constexpr std::uint32_t kForever = UINT32_MAX;  // a row without a timeout

class RowBoard {
  public:
    // EAL must be up; aborts with a message if there is no memory. `rows`: how many fit.
    RowBoard(unsigned rows, rte_rcu_qsbr* qsbr);
    ~RowBoard();
    RowBoard(const RowBoard&) = delete;
    RowBoard& operator=(const RowBoard&) = delete;

    // Reader: until when (CLOCK_BOOTTIME seconds) the row is known to live under `epoch`; 0 = not known.
    [[nodiscard]] std::uint32_t installed_until(ListId list, const IpAddress& address,
                                                std::uint32_t epoch) const noexcept;

    // Reader: whether `routers` decided that the list does without the address for now (`shared: skip`).
    [[nodiscard]] bool is_skipped(ListId list, const IpAddress& address,
                                  std::uint32_t now_s) const noexcept;

    // Writer. False: full (the address is then simply not known).
    bool put(ListId list, const IpAddress& address, std::uint32_t until_s, std::uint32_t epoch);
    void remove(ListId list, const IpAddress& address);
    // Writer: the list does without the address until then; 0: no longer. False: full, it goes on holding it.
    bool skip(ListId list, const IpAddress& address, std::uint32_t until_s);
    // Writer: removes rows and skips whose end has passed, on the next `slots` slots of the table (and those that are empty
    // behind them); it goes on there the next time. Nobody else removes the rows of sinks that say no end of a row.
    void forget_ended(std::uint32_t now_s, std::uint32_t slots);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  private:
    bool put_value(const void* key, void* value);
    void remove_key(const void* key);

    rte_hash* hash_;
    std::uint32_t capacity_;
    std::size_t size_ = 0;
    std::uint32_t cursor_ = 0;  // of forget_ended()
};

}  // namespace steer

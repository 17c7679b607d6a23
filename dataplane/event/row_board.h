// The row board: which (list, address) is known to be on its router, and until when.
//
// One rte_hash with one writer (`routers`) and lock-free readers (workers, registered with `qsbr`).
// A reader pays one lookup per address. A value is {installed_until, epoch} in 64 bits, so that it
// is read and replaced as a whole. An address may have two more entries. One says until when the
// list skips it (`shared: skip`). One says that its claim was refused, because the list or a share
// is full (`on_full`). A removed entry keeps its slot until the readers' next quiescent states. The
// hash has a random key per process, because servers of a policy domain choose the addresses.
#pragma once

#include <rte_config.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"

struct rte_hash;
struct rte_rcu_qsbr;

namespace steer {

inline constexpr std::uint32_t kForever = UINT32_MAX;  // a row without a timeout
// Seconds during which a refused address is not claimed again for the same holder. Also the largest
// TTL of its answers with `on_full: cap_ttl`.
inline constexpr std::uint32_t kRefusalStandsS = 5;
// Seconds during which an address counts as refused, unless a claim of it is accepted.
inline constexpr std::uint32_t kRefusalLastsS = 60;

// The result of the last claim of an address, as the row board has it.
enum class Refusal : std::uint8_t {
    none,    // accepted, or no claim for some time
    stands,  // refused recently for this holder: no event now
    old,     // refused before, or for another name or client: claim it
};

// The holder that a claim was refused for: only its next claims of the address wait. So a name or
// client that has used its share does not stop others from claiming the address.
enum class RefusedFor : std::uint8_t {
    all,     // there is no space for any claim
    name,    // the answer's name
    client,  // this client with this name
    others,  // not for an answer of this machine
};

class RowBoard {
  public:
    // Of memory, at most: 112 on x86, 144 on arm64. A bucket of rte_hash fills a cache line for
    // eight entries. There are as many extension buckets, and both numbers are powers of two: at
    // most four buckets for eight rows.
    static constexpr std::size_t kBytesPerRow = 80 + 4 * RTE_CACHE_LINE_SIZE / 8;

    // EAL must be initialized. Aborts with a message if there is no memory. `rows`: maximum number
    // of rows.
    RowBoard(unsigned rows, rte_rcu_qsbr* qsbr);
    ~RowBoard();
    RowBoard(const RowBoard&) = delete;
    RowBoard& operator=(const RowBoard&) = delete;

    // Reader: until when (CLOCK_BOOTTIME seconds) the row is known to live in `epoch`; 0: unknown.
    [[nodiscard]] std::uint32_t installed_until(ListId list, const IpAddress& address,
                                                std::uint32_t epoch) const noexcept;

    // Reader: whether the list skips the address for now, as `routers` decided (`shared: skip`).
    [[nodiscard]] bool is_skipped(ListId list, const IpAddress& address,
                                  std::uint32_t now_s) const noexcept;

    // Reader: whether the address has no row because the list refused it. `qname`: the answer's
    // name, lower-cased wire form.
    [[nodiscard]] Refusal refusal(ListId list, const IpAddress& address,
                                  std::span<const std::uint8_t> qname, const IpAddress& client,
                                  std::uint32_t now_s) const noexcept;

    // Writer. Returns false if the board is full; the address is then unknown.
    bool put(ListId list, const IpAddress& address, std::uint32_t until_s, std::uint32_t epoch);
    void remove(ListId list, const IpAddress& address);
    // Writer: the list skips the address until then; 0 ends that. Returns false if the board is
    // full; the list then keeps claiming it.
    bool skip(ListId list, const IpAddress& address, std::uint32_t until_s);
    // Writer: the value in a mark that identifies the name and client of a claim.
    [[nodiscard]] std::uint32_t holder(RefusedFor whom, std::span<const std::uint8_t> qname,
                                       const IpAddress& client) const noexcept;
    // Writer: the list refuses the address now. The caller limits the number of these marks.
    enum class Marked : std::uint8_t { fresh, again, full };
    Marked refuse(ListId list, const IpAddress& address, std::uint32_t holder, std::uint32_t now_s);
    // Writer: the address no longer counts as refused; the mark stays until forget_ended(). Returns
    // false if there is no mark.
    bool lift_refusal(ListId list, const IpAddress& address);
    // Writer: removes the mark, unless it lasts beyond `now_s`: then returns its end.
    std::uint32_t drop_refusal(ListId list, const IpAddress& address, std::uint32_t now_s);
    // Writer: removes ended rows, skips and refusals in the next `slots` slots of the table (and in
    // empty slots after them); the next call continues there. For sinks that do not report the end
    // of a row, this is the only removal.
    void forget_ended(std::uint32_t now_s, std::uint32_t slots);
    // Any thread.
    [[nodiscard]] std::size_t size() const noexcept {
        return size_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  private:
    bool put_value(const void* key, void* value);
    void remove_key(const void* key);

    rte_hash* hash_;
    std::uint32_t secret_;  // key of holder()
    std::uint32_t capacity_;
    std::atomic<std::size_t> size_ = 0;  // the writer writes
    std::uint32_t cursor_ = 0;           // position of forget_ended()
};

}  // namespace steer

// The row board: which (list, address) is known to be on its router, and until when.
//
// One rte_hash; one writer (`routers`), lock-free readers (workers, registered with `qsbr`). A reader pays one
// lookup per address. A value is {installed_until, epoch} in 64 bits, so that it is read and replaced whole.
// An address may have a second entry: until when the list does without it (`shared: skip`); and a third: its claim was
// refused, because the list or a share of it is full (`on_full`).
// A removed entry keeps its slot until the readers' next quiescent states. The hash is keyed by a random word of
// this process, because the servers of a policy domain choose the addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"

struct rte_hash;
struct rte_rcu_qsbr;

namespace steer {

inline constexpr std::uint32_t kForever = UINT32_MAX;  // a row without a timeout
// How long a refused address is not claimed again for the same holder, and the largest TTL of its answers with `on_full: cap_ttl`.
inline constexpr std::uint32_t kRefusalStandsS = 5;
// How long it counts as refused, unless its claim is taken before.
inline constexpr std::uint32_t kRefusalLastsS = 60;

// What the row board says about the last claim of an address.
enum class Refusal : std::uint8_t {
    none,    // it was taken, or there was none for a while
    stands,  // refused, and would be again: no event now
    old,     // refused before, or for another name or client: claim it
};

// Who a claim was refused for: only their next claims of the address wait. So a name or client that has used its share
// keeps no other from claiming the address.
enum class RefusedFor : std::uint8_t {
    all,     // there is no room for any claim
    name,    // the answer's name
    client,  // this client with this name
    others,  // no answer of this box
};

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

    // Reader: whether the list does without the address for now, as `routers` decided (`shared: skip`).
    [[nodiscard]] bool is_skipped(ListId list, const IpAddress& address,
                                  std::uint32_t now_s) const noexcept;

    // Reader: whether the address has no row because the list refused it. `qname`: of the answer, lower-cased wire form.
    [[nodiscard]] Refusal refusal(ListId list, const IpAddress& address,
                                  std::span<const std::uint8_t> qname, const IpAddress& client,
                                  std::uint32_t now_s) const noexcept;

    // Writer. False: full (the address is then unknown).
    bool put(ListId list, const IpAddress& address, std::uint32_t until_s, std::uint32_t epoch);
    void remove(ListId list, const IpAddress& address);
    // Writer: the list does without the address until then; 0: ends that. False: full, the list keeps holding it.
    bool skip(ListId list, const IpAddress& address, std::uint32_t until_s);
    // Writer: what a mark holds of the name and client of a claim.
    [[nodiscard]] std::uint32_t holder(RefusedFor whom, std::span<const std::uint8_t> qname,
                                       const IpAddress& client) const noexcept;
    // Writer: the list refused the address now. The caller bounds the number of these marks.
    enum class Marked : std::uint8_t { fresh, again, full };
    Marked refuse(ListId list, const IpAddress& address, std::uint32_t holder, std::uint32_t now_s);
    // Writer: it no longer counts as refused; the mark stays until forget_ended(). False: there is no mark.
    bool lift_refusal(ListId list, const IpAddress& address);
    // Writer: removes the mark, unless it lasts beyond `now_s`: then returns until when.
    std::uint32_t drop_refusal(ListId list, const IpAddress& address, std::uint32_t now_s);
    // Writer: removes ended rows, skips and refusals in the next `slots` slots of the table (and in empty slots behind them);
    // continues there at the next call. This is the only removal for sinks that do not report the end of a row.
    void forget_ended(std::uint32_t now_s, std::uint32_t slots);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  private:
    bool put_value(const void* key, void* value);
    void remove_key(const void* key);

    rte_hash* hash_;
    std::uint32_t secret_;  // of holder()
    std::uint32_t capacity_;
    std::size_t size_ = 0;
    std::uint32_t cursor_ = 0;  // of forget_ended()
};

}  // namespace steer

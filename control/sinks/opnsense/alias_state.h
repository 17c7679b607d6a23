// The elements of one alias: which must be in its pf table, which are known to be there, and what
// is done next.
//
// A table has neither comments nor timeouts. So every host in the table of an alias that belongs to
// us counts as ours when it is first read, and lives as long as the longest lease. Hosts that
// others add later are foreign: they are never deleted. Elements end by our clock. No I/O and no
// clock; one thread.
//
// Elements are claims of a book with shares (routeros/claim_book.h). Foreign and adopted hosts have no owner. An element
// that is to be deleted counts for its owners until then. Evicted ones are deleted before others are added, so that a
// table never has more than `max_elements` of them. Additions take turns by domain (routeros/fair_queue.h).
//
// About 200 bytes per element, and 80 while it waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/api.h"
#include "routeros/claim_book.h"
#include "routeros/fair_queue.h"
#include "routeros/keyed_hash.h"

namespace steer::opnsense {

class AliasState {
  public:
    using Tokens = std::vector<std::uint64_t>;

    // Aliases may share the counts of their owners: `number` says which one this is.
    explicit AliasState(
        build::AliasPlan plan,
        std::shared_ptr<routeros::Shares> shares = std::make_shared<routeros::Shares>(),
        std::uint16_t number = 0)
        : plan_(std::move(plan)), number_(number), elements_(std::move(shares)) {}

    [[nodiscard]] const build::AliasPlan& plan() const { return plan_; }
    void set_plan(build::AliasPlan plan) { plan_ = std::move(plan); }

    // ---- claims

    enum class Claimed : std::uint8_t { here, waits, refused };
    // `token`: of an answer that waits for the element; 0: none. It is kept if the element waits. `origin` without
    // name and client: it has no owner.
    Claimed claim(const IpAddress& address, std::uint64_t until_ms, std::uint64_t token,
                  const routeros::Origin& origin = {});
    // Why it was refused.
    [[nodiscard]] const routeros::RefusedClaim& refusal() const { return elements_.refusal(); }
    [[nodiscard]] routeros::ClaimBounds bounds() const {
        return {plan_.max_elements, plan_.shares};
    }
    // Drops claims that ended before they were added, at most once a second. True: there is room.
    bool make_room(std::uint64_t now_ms);
    // Gives up an element whose owners use more of their shares, for one more of `origin`; it is deleted next.
    std::optional<IpAddress> evict(const routeros::Origin& origin);
    // All tokens, which are then forgotten.
    Tokens take_tokens();
    Tokens take_tokens(const IpAddress& address);

    // ---- work; an element is returned once, until its result is known

    std::optional<IpAddress> next_held(std::uint64_t now_ms);
    std::optional<IpAddress> next_add(std::uint64_t now_ms);
    // An element whose lease has ended. `is_foreign`: it only had to be removed from our state,
    // which is done.
    struct Ended {
        IpAddress address;
        bool is_foreign = false;
        bool is_evicted = false;  // its lease goes on
    };
    std::optional<Ended> next_ended(std::uint64_t now_ms);
    [[nodiscard]] bool has_held() const { return !held_.empty(); }
    [[nodiscard]] bool has_adds() const { return !adds_.empty(); }
    // next_ended() gives them first. None is added before they were given.
    [[nodiscard]] bool has_evicted() const { return !evicted_.empty(); }
    [[nodiscard]] std::uint64_t first_end_ms() const { return elements_.next_expiry_ms(); }

    void added(const IpAddress& address, std::uint64_t now_ms);
    void deleted(const IpAddress& address, std::uint64_t now_ms);
    // Returned elements without a result are returned again.
    void reset_work();

    // ---- contents of the table

    struct Read {
        std::vector<IpAddress> arrived;  // are known to be there now
        std::vector<IpAddress> lost;     // were known to be there, and are wanted
        std::size_t adopted = 0;         // of `arrived`: those without a claim
        bool all_lost = false;
    };
    // Handles the table's content, which was requested at `asked_ms`.
    Read take_table(const TableContent& content, std::uint64_t asked_ms, std::uint64_t now_ms);
    // False: an empty table changes nothing.
    [[nodiscard]] bool may_have_hosts() const {
        return !was_read_ || elements_.size() > waiting_ || foreign() > 0;
    }
    // Calls `f` with each element that is known to be there, and its end.
    void each_here(const std::function<void(const IpAddress&, std::uint64_t until_ms)>& f) const;
    // Its end, if it is known to be there.
    [[nodiscard]] std::optional<std::uint64_t> here_until_ms(const IpAddress& address) const;

    [[nodiscard]] std::size_t size() const { return elements_.size(); }
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    // Those of them that no answer waits for and that are not being added.
    [[nodiscard]] std::size_t queued_adds() const { return adds_.size(); }
    [[nodiscard]] std::size_t foreign() const { return foreign_hosts_.size() + others_; }

  private:
    enum class State : std::uint8_t { wanted, adding, here, removing };
    using Queue = routeros::FairQueueOf<IpAddress>;
    struct Element : routeros::BookedClaim {
        State state = State::wanted;
        bool is_foreign = false;
        bool may_be_there = false;  // an add had no reply
        IpAddress key;
        std::uint64_t seen_ms = 0;  // when it was last known to be in the table
        Tokens tokens;
        // Its place in a queue, while it is wanted.
        Queue* queue = nullptr;
        std::uint64_t order = 0;
        routeros::FlowId flow = routeros::kNoFlow;

        [[nodiscard]] bool stays_here() const { return state == State::here && !is_leaving; }
    };
    struct Hash {
        std::size_t operator()(const IpAddress& a) const {
            return routeros::keyed_hash(a.high(), a.low(), 0);
        }
    };
    using Elements = routeros::ClaimBook<Element, Hash>;
    struct Removal {
        std::uint64_t at_ms = 0;
        unsigned tries = 1;
    };

    void become(Element& element, State state);
    void erase(Element& element);
    void put_here(const IpAddress& host, std::uint64_t until_ms, std::uint64_t now_ms);
    void wait_for_add(Element& element);
    [[nodiscard]] routeros::Holders holders_of(const routeros::Origin& origin) const;
    std::optional<IpAddress> next_of(Queue& queue, std::uint64_t now_ms);
    void meet(const IpAddress& host, std::uint64_t asked_ms, std::uint64_t now_ms, Read& read);
    void find_lost(std::uint64_t asked_ms, std::uint64_t now_ms, Read& read);

    build::AliasPlan plan_;
    std::uint16_t number_;
    Elements elements_;
    Queue held_, adds_;  // the elements that are wanted; held_: for which an answer waits
    std::uint64_t queued_ = 0;
    std::deque<IpAddress> evicted_;         // also elements that were claimed again
    std::map<IpAddress, Removal> removed_;  // that no read has confirmed yet
    std::set<IpAddress> foreign_hosts_;     // of the last read, also those that are claimed
    std::set<IpAddress> before_;            // of the read before, during a read
    std::size_t others_ = 0;
    std::size_t waiting_ = 0;    // elements that are wanted or adding
    std::uint64_t room_ms_ = 0;  // the last make_room()
    bool was_read_ = false;
};

}  // namespace steer::opnsense

// The elements of one alias: which must be in its pf table, which are known to be there, and what
// is done next.
//
// A table has neither comments nor timeouts. So every host in the table of an alias that belongs to
// us counts as ours when it is first read, and lives as long as the longest lease. Hosts that
// others add later are foreign: they are never deleted. Elements end by our clock. No I/O and no
// clock; one thread.
//
// About 150 bytes per element.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include "control/program/build/opnsense_plan.h"
#include "control/sinks/opnsense/api.h"

namespace steer::opnsense {

class AliasState {
  public:
    using Tokens = std::vector<std::uint64_t>;

    explicit AliasState(build::AliasPlan plan) : plan_(std::move(plan)) {}

    [[nodiscard]] const build::AliasPlan& plan() const { return plan_; }
    void set_plan(build::AliasPlan plan) { plan_ = std::move(plan); }

    // ---- claims

    enum class Claimed : std::uint8_t { here, waits, full };
    // `token`: of an answer that waits for the element; 0: none. Stored if the element waits.
    Claimed claim(const IpAddress& address, std::uint64_t until_ms, std::uint64_t token);
    // Drops claims that ended before they were added, at most once a second. Returns true if there
    // is space.
    bool make_room(std::uint64_t now_ms);
    // Returns all tokens and removes them.
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
    };
    std::optional<Ended> next_ended(std::uint64_t now_ms);
    [[nodiscard]] bool has_held() const { return !held_.empty(); }
    [[nodiscard]] bool has_adds() const { return !adds_.empty(); }
    [[nodiscard]] std::uint64_t first_end_ms() const {
        return ends_.empty() ? UINT64_MAX : ends_.top().first;
    }

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
    // At most twice the elements, and one.
    [[nodiscard]] std::size_t queued_adds() const { return adds_.size(); }
    [[nodiscard]] std::size_t foreign() const { return foreign_hosts_.size() + others_; }

  private:
    enum class State : std::uint8_t { wanted, adding, here, removing };
    struct Element {
        std::uint64_t until_ms = 0;
        std::uint64_t seen_ms = 0;  // when it was last known to be in the table
        State state = State::wanted;
        bool is_foreign = false;
        bool may_be_there = false;  // an add had no reply
        Tokens tokens;
    };
    struct Hash {
        std::size_t operator()(const IpAddress& a) const {
            std::uint64_t x = (a.high() ^ (a.low() * 0x9e3779b97f4a7c15U)) * 0xff51afd7ed558ccdU;
            return static_cast<std::size_t>(x ^ x >> 32);
        }
    };
    using Elements = boost::unordered_flat_map<IpAddress, Element, Hash>;
    using End = std::pair<std::uint64_t, IpAddress>;
    struct Removal {
        std::uint64_t at_ms = 0;
        unsigned tries = 1;
    };

    void become(Element& element, State state);
    void erase(Elements::iterator at);
    void wait_for_add(const IpAddress& address, const Element& element);
    void queue_add(const IpAddress& address);
    void bound_adds();
    std::optional<IpAddress> next_of(std::deque<IpAddress>& queue, std::uint64_t now_ms);
    void meet(const IpAddress& host, std::uint64_t asked_ms, std::uint64_t now_ms, Read& read);
    void find_lost(std::uint64_t asked_ms, std::uint64_t now_ms, Read& read);

    build::AliasPlan plan_;
    Elements elements_;
    std::deque<IpAddress> held_, adds_;  // also elements that are gone, or no longer wanted
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
    std::map<IpAddress, Removal> removed_;  // that no read has confirmed yet
    std::set<IpAddress> foreign_hosts_;     // of the last read, also those that are claimed
    std::set<IpAddress> before_;            // of the read before, during a read
    std::size_t others_ = 0;
    std::size_t waiting_ = 0;    // elements that are wanted or adding
    std::uint64_t room_ms_ = 0;  // the last make_room()
    bool was_read_ = false;
};

}  // namespace steer::opnsense

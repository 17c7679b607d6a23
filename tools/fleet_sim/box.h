// An appliance on the simulated clock: the product's decision about a leaving answer
// (dataplane/event), its engines for the routers, and its client of the fleet. The cache is a model
// that keeps, for each question, the time until which the answer is cached.
//
// The box does the work of RouterThread without threads and sockets: events of the ring become
// claims on the engine of their list, and then go to the fleet. Each router serves only its own
// clients, so each list has one router, and the engine's callbacks go directly to the row board.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/sinks/fleet/fleet.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/list_state.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/event/claims.h"
#include "dataplane/event/row_board.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/counter_table.h"
#include "routeros/router.h"
#include "tools/fleet_sim/names.h"
#include "tools/fleet_sim/settings.h"

struct rte_rcu_qsbr;

namespace steer::fleet_sim {

// An answer that left, and the row that its client relies on.
struct LeftAnswer {
    unsigned router = 0;
    std::uint32_t question = 0, ttl_s = 0;
};

#define STEER_FLEET_SIM_BOX_COUNTERS(X)                                        \
    X(queries, "queries for names of the list")                                \
    X(misses, "of them, those that the cache did not have")                    \
    X(covered, "answers whose rows were there")                                \
    X(raised, "answers that raised a claim and did not wait")                  \
    X(held, "answers that waited for their row")                               \
    X(held_installed, "of them, those that left after the acknowledgement")    \
    X(held_late, "of them, those that left at the end of sync_timeout")        \
    X(held_failed, "of them, those whose row was refused, or its router away") \
    X(router_away, "answers that did not wait: the router was away")           \
    X(not_taken, "answers that found the ring full")                           \
    X(events, "events from workers to the engines")
STEER_COUNTER_STRUCT(BoxCounters, kBoxCounters, STEER_FLEET_SIM_BOX_COUNTERS);

// The callbacks of a box. The box may call them within its own functions.
class Surroundings {
  public:
    virtual ~Surroundings() = default;
    // The box called the engine of that router, so its deadline may have changed.
    virtual void touched(unsigned box, unsigned router) = 0;
    // An answer left that relies on a row. The row must exist; if answers do not wait, it must
    // follow.
    virtual void left(const LeftAnswer& answer) = 0;
    [[nodiscard]] virtual std::uint64_t now_ms() const = 0;
};

class Box {
  public:
    // `routers`: links to the routers. `redis`: links of the connections for commands and for
    // messages.
    Box(unsigned number, const Settings& settings, const std::string& fleet, const Names& names,
        rte_rcu_qsbr* readers, Surroundings& around,
        const std::vector<routeros::RouterLink*>& routers, routeros::RouterLink& commands,
        routeros::RouterLink& messages);

    void start(std::uint64_t now_ms);
    // A client of `router` asks.
    void ask(std::uint32_t question, unsigned router, const IpAddress& client,
             std::uint64_t now_ms);
    // Releases answers whose wait has ended; afterwards next_ms() is later.
    void release(std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t next_ms() const {
        return waiting_.empty() ? UINT64_MAX : waiting_.front().until_ms;
    }
    // Calls the fleet's tick and tidying, as RouterThread does.
    void tick(std::uint64_t now_ms);

    [[nodiscard]] routeros::Router& router(unsigned router) { return *routers_[router].engine; }
    [[nodiscard]] const routeros::Router& router(unsigned router) const {
        return *routers_[router].engine;
    }
    [[nodiscard]] fleet::Fleet& fleet() { return fleet_; }
    [[nodiscard]] const fleet::Fleet& fleet() const { return fleet_; }
    [[nodiscard]] const BoxCounters& counters() const { return counters_; }
    [[nodiscard]] const RowBoard& board() const { return board_; }
    [[nodiscard]] const std::vector<std::uint32_t>& hold_ms() const { return hold_ms_; }
    [[nodiscard]] const std::string& last_log() const { return last_log_; }
    void forget_holds() { hold_ms_.clear(); }

  private:
    // The callbacks of one engine, handled as ListService and its single sink handle them.
    struct Sink final : routeros::RouterSink {
        Box* box = nullptr;
        unsigned router = 0;
        std::unique_ptr<routeros::Router> engine;

        void installed(routeros::ListId list, const routeros::AddressBytes& address,
                       std::uint32_t until_s) override;
        void ended(routeros::ListId list, const routeros::AddressBytes& address) override;
        void lost(routeros::ListId list, const routeros::AddressBytes& address) override;
        void epoch(routeros::ListId list) override;
        void away(routeros::ListId list, bool value) override;
        void settled(std::uint64_t hold_token, routeros::Outcome outcome) override;
        void log(routeros::Level level, std::string_view sentence) override;
    };
    struct Cached {
        cache::Entry entry{};
        std::uint64_t born_ms = 0, until_ms = 0;
    };
    struct Held {
        LeftAnswer answer;
        std::uint64_t since_ms = 0;
        unsigned left = 0;
        bool failed = false;
    };
    struct Waiting {
        std::uint64_t token, until_ms;
    };

    void make_lists(const Settings& settings);
    void drain(std::uint64_t now_ms);
    void settle(std::uint64_t token, Outcome outcome);

    const unsigned number_;
    const bool is_async_;
    const Names& names_;
    Surroundings& around_;
    std::unique_ptr<ListStates> states_;
    Snapshot snapshot_;
    RowBoard board_;
    Ring<Event> ring_;
    Counters stats_;
    Claims claims_;
    std::vector<Cached> cache_;
    std::vector<Sink> routers_;
    fleet::Fleet fleet_;
    boost::unordered_flat_map<std::uint64_t, Held> held_;
    std::deque<Waiting> waiting_;  // by time, because all have the same sync_timeout
    std::uint64_t next_token_ = 0, ticks_ = 0;
    BoxCounters counters_;
    std::vector<std::uint32_t> hold_ms_;
    std::string last_log_;
};

}  // namespace steer::fleet_sim

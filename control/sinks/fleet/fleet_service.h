// The fleet in the daemon: a Fleet with its sockets and its timer, for the present configuration.
//
// Runs on thread `routers`, unless noted otherwise. A reload that changes the section ends one
// Fleet and begins another one; claims stay in the routers' engines. Between them the routers have
// no writer, for less than a lease.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/sinks/fleet/fleet.h"
#include "control/sinks/fleet/fleet_plan.h"
#include "control/sinks/fleet/group_feed.h"
#include "control/sinks/routers/claim_peers.h"
#include "routeros/transport.h"

namespace steer::fleet {

// This box's clock, since 1970.
std::int64_t wall_ms();

// For metrics and problems.
struct FleetView {
    bool is_configured = false, is_connected = false;
    FleetCounters counters;
    std::vector<RouterRole> roles;
    std::vector<std::string> problems;
    std::size_t boxes = 0;  // alive
    bool is_kept_serving = false;
    std::string held_for;  // see Withdrawal
};

class FleetService final : public ClaimPeers {
  public:
    using Clock = routeros::Transport::Clock;

    // All must outlive it.
    FleetService(boost::asio::io_context& io, Clock clock, Fleet::Log log);
    ~FleetService() override;

    // `hosts` gets the addresses of other boxes and of Redis. Claims of other boxes for its
    // addresses are rejected. Call it before configure().
    void use_hosts(NeededHosts& hosts) { hosts_ = &hosts; }
    // Servers whose session tickets the boxes share, if configured. Call it before configure().
    void serve_tickets(SharedTickets::Servers servers) { tickets_ = std::move(servers); }
    // What people change, which the boxes share. `kinds`: as in shared::Entries. The functions are
    // called on thread `routers`. Call it before configure().
    struct Sharing {
        std::vector<std::string> kinds;
        SharedState::Events events;
        std::function<void()> begin;  // all entries are read now
    };
    void share_state(Sharing sharing) { sharing_ = std::move(sharing); }
    // Any thread.
    [[nodiscard]] std::int64_t clock_ahead_ms() const {
        return clock_ahead_ms_.load(std::memory_order_relaxed);
    }
    // Any thread. Without a connection the change is left to the next reading.
    void put(EntryChange change);
    // Call it before the thread starts, or on it. follow() sets the routers.
    void configure(std::optional<FleetPlan> plan);
    // Follows the key with groups of devices in the plan's Redis; empty: none. `tell` is called on
    // this thread. When to call it: as configure().
    void follow_groups(const std::optional<FleetPlan>& plan, const std::string& key,
                       GroupFeed::Tell tell);

    void follow(std::vector<PeerRouter> routers) override;
    void claimed(const std::string& router, const Claim& claim) override;
    void flush() override;
    void stop() override;
    [[nodiscard]] bool has_stopped() const override;

    // Any thread.
    void set_facts(const BoxFacts& facts);
    // Calls `done` on thread `routers` with Fleet::report() and more; {"configured": false} without
    // a fleet.
    void report(std::function<void(boost::json::object)> done);
    // At most a fifth of the lease old. Any thread.
    [[nodiscard]] FleetView view() const;

  private:
    struct Running;
    struct Feed;
    void poll_feed();
    void begin(const FleetPlan& plan);
    void leave();
    void tick();
    void check_master();
    void publish_view();
    [[nodiscard]] boost::json::object report_now() const;

    boost::asio::io_context& io_;
    Clock clock_;
    Fleet::Log log_;
    std::unique_ptr<Running> running_;  // nullptr: no fleet
    std::unique_ptr<Running> leaving_;  // releases its leases
    std::unique_ptr<Feed> feed_;        // nullptr: no key is followed
    SharedTickets::Servers tickets_;
    Sharing sharing_;
    NeededHosts* hosts_ = nullptr;
    std::vector<PeerRouter> routers_;
    BoxFacts facts_;
    FleetCounters past_;  // of earlier fleets
    bool had_fleet_ = false;
    std::atomic<std::int64_t> clock_ahead_ms_ = 0;
    mutable std::mutex mutex_;
    FleetView view_;  // protected by the mutex
};

}  // namespace steer::fleet

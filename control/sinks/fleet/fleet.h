// A fleet: appliances that share their claims over Redis. For each router, one of them writes.
//
// Each appliance (a box) publishes its claims on the router's channel, and stores them in a sorted
// set with the lease ends as scores. All boxes add the claims of the others to their engines. One
// box per router has the writer lease: a key that expires `lease_ms` after its last renewal, with a
// fencing token that grows with each new writer. The router's engine checks the token at the router
// (routeros/router.h, FleetRole). The other boxes are standbys.
//
//   Keys, with P = "steerdns:{FLEET}:", all times in ms of Redis's clock:
//   P format                  "1"; data of another version is refused
//   P router:NAME:writer      "TOKEN BOX/NONCE", expires
//   P router:NAME:token       the last token
//   P router:NAME:claims      sorted set: claim_messages.h members by lease end; also the channel
//   P box:BOX/NONCE           the box's report about itself (JSON), expires
//   P boxes                   sorted set: BOX/NONCE by the time of its last report
//   P tickets:…               see shared_tickets.h
//   P state…                  see shared_state.h
//   P serves:ADDRESS          see withdrawal.h
//
// A standby begins to write if its router has no row of the writer for 10 s. Then the writer cannot
// write, or uses this name for another router. While a lease changes its holder, all boxes stay
// standbys, for `lease_ms` at most; held answers wait for the next writer. After `lease_ms` without
// contact to Redis, every router has the role `alone`: all boxes write, by the rules for several
// writers. At the next contact, all live claims are published again. Box clocks need not agree:
// times are converted to Redis's clock.
//
// A claim's time in Redis is the end of the lease, even if its row lives longer and answers rely on
// that. So the writer publishes all its claims again when a box appears. A box requests no lease
// before it has read the claims in Redis.
//
// No sockets and no clock. One thread: `routers`.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/runtime/needed_hosts.h"
#include "control/sinks/fleet/claim_messages.h"
#include "control/sinks/fleet/redis_connection.h"
#include "control/sinks/fleet/redis_script.h"
#include "control/sinks/fleet/shared_state.h"
#include "control/sinks/fleet/shared_tickets.h"
#include "control/sinks/fleet/withdrawal.h"
#include "control/sinks/routers/claim_peers.h"
#include "matchers/counter_table.h"
#include "routeros/fleet_role.h"
#include "routeros/link.h"
#include "routeros/router_sink.h"

namespace steer::fleet {

// A box's report about itself, without its routers.
struct BoxFacts {
    std::string version;
    std::string configuration;  // checksum of the present text
    bool is_ready = false;
    bool is_draining = false;  // it releases its leases
    Fitness fitness = Fitness::unfit;
    std::vector<IpAddress> addresses;  // that it answers on, sorted
    bool operator==(const BoxFacts&) const = default;
};

struct FleetIdentity {
    std::string name;
    std::string box;
    std::string nonce;  // of this process
    std::uint64_t lease_ms = 1500;
};

//    name, what was counted
#define STEER_FLEET_COUNTERS(X)                                                            \
    X(claims_sent, "claims given to the other boxes")                                      \
    X(claims_received, "claims of other boxes")                                            \
    X(claims_unknown, "claims of other boxes for a list that this box does not have")      \
    X(claims_forbidden, "claims of other boxes for an address that the list never claims") \
    X(messages_bad,                                                                        \
      "messages and stored claims that could not be read: another version, or damaged")    \
    X(claims_not_sent, "claims that were given to other boxes late: Redis took too long")  \
    X(terms, "times that this box became the writer of a router")                          \
    X(tickets_unreadable, "ticket keys of other boxes that no server here could open")     \
    X(failovers, "of them, those that followed another box")                               \
    X(connects, "connections to Redis")                                                    \
    X(losses, "connections to Redis that ended")
STEER_COUNTER_STRUCT(FleetCounters, kFleetCounters, STEER_FLEET_COUNTERS);

struct RouterRole {
    std::string router;
    routeros::Role role = routeros::Role::alone;
};

class Fleet {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    Fleet(FleetIdentity identity, const RedisLogin& login, routeros::RouterLink& commands,
          routeros::RouterLink& messages, Log log);
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    [[nodiscard]] RedisConnection& commands() { return commands_; }
    [[nodiscard]] RedisConnection& messages() { return messages_; }

    void start(std::uint64_t now_ms);
    // Begins to connect; connects again after each loss.
    void connect(std::uint64_t now_ms);
    // Releases its leases and removes its routers, which write nothing until they get another role.
    // Then call end() to close the connections, after has_stopped() or at any time.
    void stop(std::uint64_t now_ms);
    [[nodiscard]] bool has_stopped() const;
    void end();
    void follow(std::vector<PeerRouter> routers, std::uint64_t now_ms);
    void claimed(const std::string& router, const Claim& claim, std::uint64_t now_ms);
    void flush(std::uint64_t now_ms);
    // Call it every tick_ms().
    void tick(std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t tick_ms() const { return identity_.lease_ms / 5; }
    // A box counts as dead after this time without a report.
    [[nodiscard]] std::uint64_t box_life_ms() const;
    // Returns milliseconds since 1970, to compare with Redis's clock. Without it, the report has no
    // clocks.
    void set_wall_clock(std::function<std::int64_t()> wall_ms) { wall_ms_ = std::move(wall_ms); }
    // Adds the addresses of the other boxes to `hosts`, and rejects claims for addresses in it.
    // `hosts` must outlive the fleet.
    void use_hosts(NeededHosts& hosts) { hosts_ = &hosts; }
    // Shares the keys of these servers' session tickets.
    void share_tickets(SharedTickets::Servers servers) { tickets_.serve(std::move(servers)); }
    // Shares what people change. Call it before start(). `begin`: called before all entries are read.
    void share_state(std::vector<std::string> kinds, SharedState::Events events,
                     std::function<void()> begin);
    // False: there is no connection; send it again after the next read().
    bool put(const EntryChange& change, std::uint64_t now_ms);
    void set_facts(BoxFacts facts, std::uint64_t now_ms);
    [[nodiscard]] const BoxFacts& facts() const { return facts_; }
    // Called by the owner of the connection: why there is none now; empty: it is connected.
    void set_error(const std::string& why, std::uint64_t now_ms);

    // {"name", "box", "connected", "trouble", "trouble_s", "clock_ahead_ms" (Redis's less ours),
    // "routers": [{"name", "role", "state", "claims", "pending", "lag_ms", "writer", "token"}],
    // "boxes": [{"box", "self", "alive", "ago_s", and its report}], "problems": [text],
    // "obstacles": [text], "counters"}. obstacles: why this box should not be taken out of service
    // now.
    [[nodiscard]] boost::json::object report(std::uint64_t now_ms) const;
    // Calls `done` when report() has the boxes' present reports, or if Redis does not answer. Not
    // after end().
    void poll(std::uint64_t now_ms, std::function<void()> done);
    // Redis's clock less the box's; 0: not known.
    [[nodiscard]] std::int64_t clock_ahead_ms() const { return clock_ahead_ms_.value_or(0); }
    [[nodiscard]] const FleetCounters& counters() const { return counters_; }
    [[nodiscard]] std::vector<RouterRole> roles() const;
    // Sentences: each has a problem and, after a semicolon, what to do.
    [[nodiscard]] std::vector<std::string> problems() const;
    [[nodiscard]] std::size_t boxes_alive() const;
    [[nodiscard]] bool is_connected() const { return is_subscribed_ && commands_.is_ready(); }
    // Whether the fleet is connected and this box must not withdraw its service addresses now.
    [[nodiscard]] bool is_kept_serving() const {
        return is_connected() && withdrawal_.is_serving();
    }
    [[nodiscard]] const std::string& held_for() const { return withdrawal_.held_for(); }

  private:
    struct Member {
        PeerRouter peer;
        routeros::FleetRole role;
        std::string holder;                // of the lease, BOX/NONCE; empty: no box
        std::uint64_t token = 0;           // of the holder
        std::uint64_t lease_until_ms = 0;  // if it is this box's
        std::uint64_t free_ms = 0;         // since when there is no holder; 0: none was seen yet
        std::uint64_t in_sync_ms = 0;      // time at which its router was last in sync
        std::string last_writer;           // the last holder that was seen
        bool is_in_sync = false;           // its router, at the last election
        bool is_loaded = false;            // has the claims that Redis had at the connection
        bool is_loading = false;           // a page of them was requested
        std::uint64_t token_there = 0;     // of the writer's row on the router
        std::uint64_t unproven_ms = 0;     // since when the holder's row is missing; 0: it exists
        std::vector<SharedClaim> batch;    // not published yet; lease ends in our clock
    };
    struct Box {
        std::string id;
        std::int64_t seen_ms = 0;  // of Redis's clock
        boost::json::object status;
    };

    [[nodiscard]] std::string key(std::string_view rest) const;
    [[nodiscard]] std::string key(const Member& member, std::string_view rest) const;
    [[nodiscard]] std::string id() const { return identity_.box + "/" + identity_.nonce; }
    [[nodiscard]] std::uint64_t redis_ms(std::uint64_t at_ms) const;
    [[nodiscard]] std::uint64_t own_ms(std::uint64_t redis_ms) const;

    void commands_ready(std::uint64_t now_ms);
    void check_format(const RedisReply& reply, std::uint64_t now_ms);
    void begin_subscription(std::uint64_t now_ms);
    void lost(const std::string& why, std::uint64_t now_ms);
    void ask_time(std::uint64_t now_ms);
    void take_time(const RedisReply& reply, std::uint64_t sent_ms, std::uint64_t now_ms);
    void share_all(std::uint64_t now_ms);
    void share_written(std::uint64_t now_ms);
    void share_more(std::uint64_t now_ms);
    // A page of a router's claims in the order of their ends.
    struct PageOfClaims {
        std::uint64_t from_ms = 0;  // of Redis's clock
        std::size_t skip = 0;       // number of claims with that end that were read
    };
    void load_missing(std::uint64_t now_ms);
    void load_page(Member& member, PageOfClaims page, std::uint64_t now_ms);
    void took_page(const std::string& router, PageOfClaims page, const RedisReply& reply,
                   std::uint64_t now_ms);
    void took_message(std::string_view channel, std::string_view payload, std::uint64_t now_ms);
    void take_claim(Member& member, const SharedClaim& claim, std::uint64_t now_ms);
    void refused_claim(const SharedClaim& claim, std::uint64_t now_ms);
    void publish(const Member& member, std::vector<SharedClaim> claims, std::uint64_t now_ms,
                 const RedisConnection::Done& done = {});
    void elect(Member& member, std::uint64_t now_ms);
    void give_up(const Member& member, std::uint64_t now_ms);
    bool call_election(const Member& member, std::uint64_t lease_ms, std::uint64_t seen, bool wants,
                       std::uint64_t now_ms, RedisConnection::Done done = {});
    void take_election(const std::string& router, const RedisReply& reply, std::uint64_t sent_ms,
                       std::uint64_t now_ms);
    void apply_roles(std::uint64_t now_ms);
    [[nodiscard]] routeros::FleetRole role_of(const Member& member, std::uint64_t now_ms) const;
    static void note_proof(Member& member, std::uint64_t now_ms);
    void tidy(const Member& member, std::uint64_t now_ms);
    void read_state(std::uint64_t now_ms);
    void tell_box(std::uint64_t now_ms);
    void ask_boxes(std::uint64_t now_ms);
    void report_hosts();
    [[nodiscard]] bool may_claim(const ClaimTerms& terms, const IpAddress& address) const;
    void took_boxes(std::vector<Box> found, const RedisReply& texts, std::uint64_t now_ms);
    void end_polls();
    [[nodiscard]] bool is_candidate(const Member& member, std::uint64_t now_ms) const;
    [[nodiscard]] bool is_kept_by_others(const Member& member) const;
    [[nodiscard]] std::vector<std::string> obstacles() const;
    [[nodiscard]] boost::json::array routers_json() const;
    Member* find(std::string_view router);
    [[nodiscard]] static std::vector<SharedClaim> claims_of(const Member& member);

    const FleetIdentity identity_;
    Log log_;
    RedisConnection commands_, messages_;
    RedisScript election_;
    SharedTickets tickets_;
    SharedState state_;
    std::function<void()> state_begins_;
    NeededHosts* hosts_ = nullptr;
    Withdrawal withdrawal_;
    std::vector<Member> members_;
    std::vector<Box> boxes_;
    std::vector<std::function<void()>> polls_;  // wait for the boxes' reports
    BoxFacts facts_;
    std::vector<std::string> addresses_;  // of facts_.addresses
    FleetCounters counters_;
    bool is_our_format_ = false, is_subscribed_ = false, has_clock_ = false;
    bool has_seen_boxes_ = false;           // since the connection began
    bool has_unsent_claims_ = false;        // publish all again when Redis is fast enough
    std::vector<std::string> to_share_;     // routers whose claims must be published again
    std::string backlog_of_;                // the present router of these
    std::vector<SharedClaim> backlog_;      // the rest of its claims; lease ends in our clock
    std::size_t shares_in_flight_ = 0;      // parts of the backlog that Redis has not confirmed
    std::int64_t clock_difference_ms_ = 0;  // Redis's clock less our monotonic one
    std::function<std::int64_t()> wall_ms_;
    std::optional<std::int64_t> clock_ahead_ms_;  // Redis's clock less our wall clock
    std::uint64_t contact_ms_ = 0;                // time of sending the last answered election
    std::uint64_t ticks_ = 0;
    std::uint64_t forbidden_log_ms_ = 0;  // earliest time of the next log line for claims_forbidden
    std::string error_;
    std::uint64_t error_since_ms_ = 0;
};

}  // namespace steer::fleet

// A fleet: appliances that share their claims over Redis. One of them writes each router.
//
// Each appliance (a box) publishes its claims on the channel of the router, and keeps them in a sorted set whose scores are
// the ends of the leases. All boxes take the claims of the others into their engines. One box per router has the lease of its
// writer: a key that ends `lease_ms` after its last renewal, with a fencing token that grows with each new writer. The
// router's engine checks the token at the router (routeros/router.h, FleetRole). The others are standbys.
//
//   Keys, with P = "steerdns:{FLEET}:", all times in ms of Redis's clock:
//   P format                  "1"; data of another version is refused
//   P router:NAME:writer      "TOKEN BOX/NONCE", expires
//   P router:NAME:token       the last token
//   P router:NAME:claims      sorted set: claim_messages.h members by lease end; also the channel's name
//   P box:BOX/NONCE           what the box says of itself (JSON), expires
//   P boxes                   sorted set: BOX/NONCE by the time of its last sign of life
//   P tickets:…               see shared_tickets.h
//   P serves:ADDRESS          see withdrawal.h
//
// A standby whose router has no row of the writer for 10 s writes by itself: the writer cannot write, or means another router
// by this name. While a lease changes hands its boxes stay standbys, for `lease_ms` at most: held answers wait for the next
// writer. Without contact for `lease_ms` every router has the role `alone`: by the rules for several writers everyone
// writes. With the next contact, all live claims are published again. Clocks of boxes do not matter: times are converted to
// Redis's.
//
// A claim's time in Redis is the end of the lease, also if its row lives longer and answers rely on that. So the writer
// publishes all its claims again when a box appears, and a box wants no lease before it has read those in Redis.
//
// Without sockets and without a clock. One thread: `routers`.
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
#include "control/sinks/fleet/shared_tickets.h"
#include "control/sinks/fleet/withdrawal.h"
#include "control/sinks/routers/claim_peers.h"
#include "matchers/counter_table.h"
#include "routeros/fleet_role.h"
#include "routeros/link.h"
#include "routeros/router_sink.h"

namespace steer::fleet {

// What a box says of itself, without its routers.
struct BoxFacts {
    std::string version;
    std::string configuration;  // checksum of the text in force
    bool is_ready = false;
    bool is_draining = false;  // it gives up its leases
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
    // Begins to connect, and connects again after each loss.
    void connect(std::uint64_t now_ms);
    // Gives up its leases and forgets its routers, which write nothing until they get another role. Ends the connections
    // with end(), when has_stopped() or at any time.
    void stop(std::uint64_t now_ms);
    [[nodiscard]] bool has_stopped() const;
    void end();
    void follow(std::vector<PeerRouter> routers, std::uint64_t now_ms);
    void claimed(const std::string& router, const Claim& claim, std::uint64_t now_ms);
    void flush(std::uint64_t now_ms);
    // To be called every tick_ms().
    void tick(std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t tick_ms() const { return identity_.lease_ms / 5; }
    // A box is dead so long after its last sign of life.
    [[nodiscard]] std::uint64_t box_life_ms() const;
    // Milliseconds since 1970, to compare with Redis's. Without it the report has no clocks.
    void set_wall_clock(std::function<std::int64_t()> wall_ms) { wall_ms_ = std::move(wall_ms); }
    // Reports the addresses of the other boxes there, and takes no claim for an address that is there. It outlives the fleet.
    void use_hosts(NeededHosts& hosts) { hosts_ = &hosts; }
    // Shares the keys of their session tickets.
    void share_tickets(SharedTickets::Servers servers) { tickets_.serve(std::move(servers)); }
    void set_facts(BoxFacts facts, std::uint64_t now_ms);
    [[nodiscard]] const BoxFacts& facts() const { return facts_; }
    // The connection's state is known by others: why there is none now; empty: there is one.
    void set_trouble(const std::string& why, std::uint64_t now_ms);

    // {"name", "box", "connected", "trouble", "trouble_s", "clock_ahead_ms" (Redis's less ours), "routers": [{"name", "role",
    // "state", "claims", "pending", "lag_ms", "writer", "token"}], "boxes": [{"box", "self", "alive", "ago_s", and what it
    // says of itself}], "problems": [text], "obstacles": [text], "counters"}; obstacles: why this box should not be taken out of service now
    [[nodiscard]] boost::json::object report(std::uint64_t now_ms) const;
    // Calls `done` once report() has what the boxes say now, or if Redis does not answer. Not after end().
    void look(std::uint64_t now_ms, std::function<void()> done);
    [[nodiscard]] const FleetCounters& counters() const { return counters_; }
    [[nodiscard]] std::vector<RouterRole> roles() const;
    // Sentences; each says what is wrong, and after a semicolon what to do.
    [[nodiscard]] std::vector<std::string> problems() const;
    [[nodiscard]] std::size_t boxes_alive() const;
    [[nodiscard]] bool is_connected() const { return is_subscribed_ && commands_.is_ready(); }
    // Connected, and this box may not withdraw its service addresses now.
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
        std::uint64_t in_sync_ms = 0;      // when its router was last in sync
        std::string last_writer;           // the last holder that was seen
        bool is_in_sync = false;           // its router, at the last election
        bool is_loaded = false;            // has the claims that Redis had when it was connected
        bool is_loading = false;           // a page of them is asked for
        std::uint64_t token_there = 0;     // of the writer row on the router
        std::uint64_t unproven_ms = 0;     // since when the holder's row is not there; 0: it is
        std::vector<SharedClaim> batch;    // not published yet; lease ends of our clock
    };
    struct Box {
        std::string id;
        std::int64_t seen_ms = 0;  // of Redis's clock
        boost::json::object said;
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
        std::size_t skip = 0;       // so many that end then were taken
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
    void tell_box(std::uint64_t now_ms);
    void ask_boxes(std::uint64_t now_ms);
    void report_hosts();
    [[nodiscard]] bool may_claim(const ClaimTerms& terms, const IpAddress& address) const;
    void took_boxes(std::vector<Box> found, const RedisReply& texts, std::uint64_t now_ms);
    void end_looks();
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
    NeededHosts* hosts_ = nullptr;
    Withdrawal withdrawal_;
    std::vector<Member> members_;
    std::vector<Box> boxes_;
    std::vector<std::function<void()>> looks_;  // wait for them
    BoxFacts facts_;
    std::vector<std::string> addresses_;  // of facts_.addresses
    FleetCounters counters_;
    bool is_our_format_ = false, is_subscribed_ = false, has_clock_ = false;
    bool has_seen_boxes_ = false;           // since the connection began
    bool has_unsent_claims_ = false;        // all are published again once Redis keeps up
    std::vector<std::string> to_share_;     // routers whose claims are to be published again
    std::string backlog_of_;                // the router that is under way
    std::vector<SharedClaim> backlog_;      // the rest of its claims; lease ends of our clock
    std::size_t shares_under_way_ = 0;      // parts of the backlog that Redis has not confirmed
    std::int64_t clock_difference_ms_ = 0;  // Redis's clock less our monotonic one
    std::function<std::int64_t()> wall_ms_;
    std::optional<std::int64_t> clock_ahead_ms_;  // Redis's clock less our wall clock
    std::uint64_t contact_ms_ = 0;                // sending time of the last answered election
    std::uint64_t ticks_ = 0;
    std::uint64_t forbidden_log_ms_ = 0;  // then the next line about claims_forbidden
    std::string trouble_;
    std::uint64_t trouble_since_ms_ = 0;
};

}  // namespace steer::fleet

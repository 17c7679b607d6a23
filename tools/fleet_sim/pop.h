// A whole PoP: boxes with the product's code, simulated routers, a model of Redis, clients as one
// Poisson process, and one clock that advances from event to event.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/fleet_sim/box.h"
#include "tools/fleet_sim/redis_model.h"
#include "tools/rossim/router.h"

namespace steer::fleet_sim {

// Leases that were compared with the simulators' journals: a client must not have an address
// without its row. Rows of answers that do not wait (`async`) may follow within ten seconds.
struct Judged {
    std::uint64_t leases = 0;    // addresses of answers that left relying on a row
    std::uint64_t missing = 0;   // the row did not exist
    std::uint64_t short_of = 0;  // the row ends before the TTL in the answer
    // Not counted above: addresses of a rebooted router without its rows restored, because no
    // answer waits for it.
    std::uint64_t unjudged = 0;
};

class Pop final : public Surroundings {
  public:
    Pop(const Settings& settings, const Names& names, unsigned number, rte_rcu_qsbr* readers);

    void run_until(std::int64_t to_us);
    // Runs until every box is in sync with each of its routers and each router has a writer.
    // Returns false if that takes longer than `within_us`.
    bool settle_down(std::int64_t within_us);
    // Starts the clients' queries.
    void open();
    // Reboots router 0: it loses its timed rows and is away for `down_us`.
    void reboot(std::int64_t down_us);
    // Returns whether a writer has restored all rows of router 0; its leases are judged from then
    // on.
    [[nodiscard]] bool check_repaired();

    [[nodiscard]] std::int64_t now_us() const { return now_us_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Box>>& boxes() const { return boxes_; }
    [[nodiscard]] const rossim::Router& router(std::size_t router) const {
        return routers_[router]->sim;
    }
    [[nodiscard]] std::size_t routers() const { return routers_.size(); }
    [[nodiscard]] std::size_t rows(std::size_t router) const;
    [[nodiscard]] const RedisModel& redis() const { return redis_; }
    [[nodiscard]] const Judged& judged() const { return judged_; }
    // The CPU time of the product's code in all boxes.
    [[nodiscard]] double product_s() const { return product_s_; }

    void touched(unsigned box, unsigned router) override;
    void left(const LeftAnswer& answer) override;
    [[nodiscard]] std::uint64_t now_ms() const override {
        return static_cast<std::uint64_t>(now_us_ / 1000);
    }

  private:
    struct Session;
    struct SimulatedRouter {
        std::unique_ptr<rossim::Router> owned;
        rossim::Router& sim;
        boost::unordered_flat_map<std::string, std::int64_t> until_us;  // of rows, by address
        std::map<rossim::SessionId, Session*> sessions;
    };
    // A box's connection to a router.
    struct Session final : routeros::RouterLink {
        Pop* pop = nullptr;
        unsigned box = 0, router = 0;
        std::optional<rossim::SessionId> id;
        bool connecting = false;
        void connect() override;
        void close() override;
        void send(std::string_view bytes) override;
    };
    // A box's connection to Redis.
    struct RedisLine final : routeros::RouterLink {
        Pop* pop = nullptr;
        unsigned box = 0;
        bool is_messages = false;
        std::optional<RedisModel::ClientId> id;
        void connect() override;
        void close() override;
        void send(std::string_view bytes) override;
        [[nodiscard]] fleet::RedisConnection& user() const;
    };
    struct Packet {
        RedisLine* line;
        RedisModel::ClientId client;
        bool to_server;
        bool is_connect;
        std::string bytes;
    };
    class Stopwatch;

    void schedule_arrival();
    void arrive();
    void step(std::int64_t at_us);
    void work_router(std::size_t router);
    void collect(std::size_t router);
    void connect(Session& session);
    void work_redis();
    void work_box(unsigned box);
    void note(std::size_t router, const rossim::Commit& commit);
    void judge(const LeftAnswer& answer, std::int64_t end_us);
    void judge_late();
    [[nodiscard]] std::int64_t next_us() const;
    [[nodiscard]] std::size_t engine(unsigned box, unsigned router) const {
        return box * routers_.size() + router;
    }

    const Settings& settings_;
    const Names& names_;
    Dice dice_;
    std::int64_t now_us_ = 1'000'000'000;  // the machines have been up for a while
    std::vector<std::unique_ptr<SimulatedRouter>> routers_;
    std::vector<std::unique_ptr<Session>> sessions_;  // by engine()
    std::vector<std::unique_ptr<RedisLine>> lines_;   // two a box
    RedisModel redis_;
    std::multimap<std::int64_t, Packet> packets_;  // in transit between boxes and Redis
    std::vector<std::unique_ptr<Box>> boxes_;
    // Deadlines.
    std::vector<std::int64_t> engine_us_, router_us_, box_us_, tick_us_;
    std::vector<std::size_t> dirty_;  // engines whose deadline may have changed
    std::vector<bool> is_dirty_;
    std::int64_t arrival_us_ = INT64_MAX;
    // Answers that did not wait, by the deadline of their row, with the end of their TTL.
    std::multimap<std::int64_t, std::pair<LeftAnswer, std::int64_t>> unjudged_;
    Judged judged_;
    bool is_rebooted_ = false;  // router 0 rebooted, and not all its rows are restored
    double product_s_ = 0;
    unsigned in_product_ = 0;
    std::ofstream arrivals_;  // lines: us since open(), box, router, client, name, type
    std::int64_t opened_us_ = 0;
};

}  // namespace steer::fleet_sim

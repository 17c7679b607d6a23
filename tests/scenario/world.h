// The world of a scenario: the product without its threads and sockets, a network of one wire per worker, simulated
// routers, and a clock that only the story turns.
//
// One thread. advance_to() moves time in steps of a millisecond where something is in progress, in larger ones where
// nothing can happen; within a step everything that is ready runs until nothing is.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/cache/dump.h"
#include "control/config/load.h"
#include "control/host/process/published.h"
#include "control/observe/trace/row_sentences.h"
#include "control/observe/trace/trace_copy.h"
#include "control/observe/trace/trace_json.h"
#include "control/program/build/build.h"
#include "control/program/build/publish.h"
#include "control/program/build/time_windows.h"
#include "control/runtime/cookie_secrets.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/sinks/routers/list_service.h"
#include "control/sinks/routers/router_service.h"
#include "support/dns_message.h"
#include "support/ring_port.h"
#include "support/udp_frame.h"
#include "tools/rossim/router.h"

namespace steer::test {

using Ms = std::uint64_t;

class HandClock final : public Clock {
  public:
    Now now() override { return {ms}; }
    Ms ms = 0;
};

// One record of an answer's answer section, as text.
struct SeenRecord {
    std::string name, data;
    std::uint16_t type = 0;
    std::uint32_t ttl_s = 0;
    bool operator==(const SeenRecord&) const = default;
};
struct SeenEdns {
    bool present = false, dnssec_ok = false;
    bool checking_disabled = false, authentic = false,
         without_recursion = false;  // of a client's query: header bits, not EDNS
    std::optional<unsigned> ede;
    std::string
        options;  // others: "65001:aabb 65002:", as hex; of long ones their length, "65001:*100"
    std::string ecs;              // "192.0.2.0/24/0": address, source and scope; empty: none
    std::string cookie;           // as hex; empty: none
    unsigned extended_rcode = 0;  // of an answer: the upper eight bits
};
struct SeenAnswer {
    Ms at = 0;
    std::string client, name;
    std::uint16_t type = 0, id = 0;
    unsigned rcode = 0;
    bool truncated = false, authentic = false, authoritative = false;
    std::vector<SeenRecord> records, authority, additional;
    SeenEdns edns;
};
struct SeenQuery {  // at an upstream
    Ms at = 0;
    UdpFrame frame;
    unsigned worker = 0;
    std::string name;
    std::uint16_t type = 0;
    SeenEdns edns;
    [[nodiscard]] std::string upstream() const { return frame.to.to_string(); }
};

// A row of what an upstream answers by itself.
struct Served {
    std::vector<SeenRecord> records, additional;
    unsigned rcode = 0;
    bool authentic = false;
    Ms after = 1;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> soa;  // TTL and MINIMUM
    std::optional<unsigned> scope;  // of the client subnet that it was asked for
    std::string options;            // as SeenEdns has them
    // The cookie of the reply: the query's with a server cookie, one with another client's cookie;
    // empty: none.
    std::string cookie;
    unsigned extended_rcode = 0;
};

struct RouterOptions {
    std::string preset;  // empty: needs no time
    std::int64_t latency_us = 0;
    rossim::Version version{};
    std::vector<std::pair<std::string, std::size_t>> prefill;
};

struct WorldOptions {
    std::string config;  // a file
    unsigned workers = 1;
    std::map<std::string, RouterOptions>
        routers;                      // by the name in the configuration; others: defaults
    Ms uptime = 1'000'000;            // of the machine when the world begins
    Ms elapsed = 0;                   // of the story by then
    std::chrono::sys_seconds wall{};  // the time of day at the begin of the story
    std::string dns_log, journal;     // for the judge; empty: none
    std::map<std::string, std::string> environment;  // of the configuration, before the process's
};

class World {
  public:
    explicit World(const WorldOptions& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] Ms elapsed() const { return clock_.ms - start_; }
    [[nodiscard]] std::chrono::sys_seconds wall() const {
        return options_.wall + std::chrono::seconds(elapsed() / 1000);
    }
    void advance_to(Ms elapsed);
    // Called with the time at or after which it is due, in steps.
    void schedule(Ms at, std::function<void()> what) { agenda_.emplace(at, std::move(what)); }

    // `edns`: what the client sends of it. `vlan`: the id of its frame's tag. `port`: its own;
    // none: another each time.
    void ask(const std::string& client, const std::string& name, std::uint16_t type,
             const SeenEdns& edns = {}, std::uint16_t klass = 1,
             std::optional<std::uint16_t> vlan = {}, std::optional<std::uint16_t> port = {});
    // Asks by a message, as `streams` does, with this trace id.
    void inject(const std::string& client, const std::string& name, std::uint16_t type,
                std::uint64_t trace_id);
    // Answers all open queries for the name; false if there is none. `upstream`: its address; empty: any.
    bool answer(const std::string& upstream, const std::string& name, std::uint16_t type,
                const Served& what);
    void serve(const std::string& upstream, const std::string& name, std::uint16_t type,
               Served what);

    // What has been seen and not yet been taken by an expectation.
    std::deque<SeenAnswer> answers;
    std::deque<SeenQuery> queries;  // not yet named by "is asked"
    // Names with a label of a loop test that upstreams were asked for.
    std::vector<std::string> tests;
    std::map<std::string, std::deque<std::string>>
        sentences;                               // sent to a router: "add list=… address=…"
    std::vector<std::string> log;                // the routers' sentences to the operator
    std::map<std::string, std::string> cookies;  // the last one of each client's answers, as hex

    // Puts another configuration in force, which has the same routers, caches and upstreams.
    void reload(const std::string& file);
    // Pauses an adlist. Without a length, the pause ends.
    void pause(const std::string& adlist, Ms length);

    // Traces all queries that come in frames.
    void trace_all();
    std::vector<TraceCopy> take_traces();  // ended ones
    [[nodiscard]] TraceTerms trace_terms() const { return {publisher_->current(), &sets_}; }
    // What was sent to routers, by their names.
    boost::json::array rows_of(const WantedRows& wanted);

    // Dumps all caches into files in `folder`, and restores them from there.
    void dump_caches(const std::string& folder);
    void restore_caches(const std::string& folder);

    rossim::Router& router(const std::string& name);
    [[nodiscard]] std::int64_t router_time_us() const {
        return static_cast<std::int64_t>(elapsed()) * 1000;
    }
    [[nodiscard]] std::uint64_t outcome(Outcome o) const;
    // Whether queries reached the executor with this tag since this was last asked; nothing: there is none.
    std::optional<bool> take_raised(const std::string& tag);
    [[nodiscard]] const Counters& counters(unsigned worker) {
        return runtime_->worker(worker).counters();
    }
    [[nodiscard]] unsigned workers() const { return options_.workers; }

  private:
    class Link;
    struct Site {  // one router with its link and service
        std::unique_ptr<rossim::Router> router;
        std::unique_ptr<Link> link;
        std::unique_ptr<RouterService> service;
    };
    build::Built built_of(const std::string& file);
    void build(const WorldOptions& options);
    void make_sites();
    void make_hops(const Snapshot& snapshot);
    void put_cookie_keys();
    bool step_once();
    void settle();
    bool drain_wires();
    Bytes question(const std::string& name, std::uint16_t type, const SeenEdns& edns,
                   std::uint16_t klass);
    void on_client_frame(const UdpFrame& frame);
    void on_upstream_frame(const UdpFrame& frame, unsigned worker);
    void reply(const SeenQuery& query, const Served& what);
    bool drain_events();
    [[nodiscard]] Ms next_step(Ms target);
    [[nodiscard]] Ms wall_ns() const;
    [[nodiscard]] DumpScope scope_of(const CacheInstance& cache) const;

    WorldOptions options_;
    HandClock clock_;
    Ms start_ = 0;
    build::Registry registry_;
    build::WindowClock windows_;
    config::Settings settings_;
    std::vector<build::RouterPlan> plans_;
    std::vector<build::NamedSet> sets_;
    TraceFilter all_;
    std::unique_ptr<DataplaneRuntime> runtime_;
    std::unique_ptr<build::Publisher> publisher_;
    std::unique_ptr<Published<NextHopTable>> hops_;
    std::unique_ptr<Published<dns::CookieKeys>> cookie_keys_;
    std::vector<std::unique_ptr<RingPort>> wires_;
    std::unique_ptr<Acknowledger> acknowledger_;
    std::unique_ptr<ListService> lists_;
    std::map<std::string, Site> sites_;
    std::multimap<Ms, std::function<void()>> agenda_;
    std::vector<SeenQuery> open_queries_;
    std::map<std::tuple<std::string, std::string, std::uint16_t>, Served> served_;
    std::uint16_t next_port_ = 20000, next_id_ = 1;
    std::ofstream dns_log_, journal_;
};

}  // namespace steer::test

// Thread `routers`: turns the workers' events into claims on sinks. From the sinks'
// acknowledgements it updates the row board and releases held answers.
//
// One thread, one io_context, any number of routers and of other sinks. routeros::Router decides,
// in its RouterService; this thread provides clock and sockets. Other threads read copies
// (status(), sinks()).
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/host/process/heartbeat.h"
#include "control/program/build/build.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/sinks/routers/acknowledger.h"
#include "control/sinks/routers/claim_peers.h"
#include "control/sinks/routers/claim_sink.h"
#include "control/sinks/routers/list_service.h"
#include "control/sinks/routers/router_findings.h"
#include "control/sinks/routers/shared_addresses.h"
#include "routeros/router_report.h"
#include "routeros/router_sink.h"

namespace steer {

class RouterThread {
  public:
    using Log = std::function<void(routeros::Level, const std::string& sentence)>;

    struct Status {
        std::string name, address;
        routeros::RouterStatus state;
        routeros::RouterCounters counters;
        std::size_t shared = 0;  // addresses that also belong to names outside their list
    };
    using Outcomes = std::array<std::uint64_t, static_cast<std::size_t>(Outcome::count_)>;

    RouterThread(DataplaneRuntime& runtime, Clock& clock,
                 const std::vector<build::RouterPlan>& plans, Log log,
                 RouterFindings findings = RouterFindings{});
    ~RouterThread();
    RouterThread(const RouterThread&) = delete;
    RouterThread& operator=(const RouterThread&) = delete;

    // Adds another sink, before start() or within the `others` of configure(). It lives as long as
    // the thread, which is its only caller. Its I/O uses that io_context.
    using MakeSink =
        std::function<std::unique_ptr<ClaimSink>(boost::asio::io_context&, SinkObserver&)>;
    void add_sink(const MakeSink& make);

    // Adds other appliances for the same routers, before start(). Conditions as for a sink; they
    // get the claims of routers.
    using MakePeers = std::function<std::unique_ptr<ClaimPeers>(boost::asio::io_context&)>;
    void add_peers(const MakePeers& make);

    void start();
    // A reload with these routers. First `others` is called on the thread, to change lists of other
    // sinks. Unchanged routers are not touched; claims of remaining lists are kept. Rows of a
    // removed router are removed if its cleanup_on_shutdown is set, else they expire.
    void configure(std::vector<build::RouterPlan> plans, std::function<void()> others = {});
    // Ends sessions and the thread, after at most `patience_ms`. First claims are written, for up
    // to kWriteMs, while there is progress. Then peers take over, and cleanups end, which needs at
    // most kEndMs. Call it when workers no longer claim.
    static constexpr unsigned kWriteMs = 4'000, kCleanupMs = 5'000, kEndMs = kWriteMs + kCleanupMs;
    void stop(unsigned patience_ms);

    // A router for the operator's commands.
    struct Seen {
        const std::string& name;
        const std::string& address;
        routeros::Router& router;
        const SharedAddresses& shared;  // for all lists
        std::size_t shared_addresses;   // of its own
        [[nodiscard]] Status status() const;
    };
    // Calls `f` on the routers' thread with the present routers, in the order of the configuration.
    // Any thread.
    void visit(std::function<void(const std::vector<Seen>&, std::uint64_t now_ms)> f);
    // Stops writes to the router until it is resumed. Only within visit().
    void pause(const std::string& name, bool on);
    // The bypass: queries are answered, but no router is written or waited for, including routers
    // that a reload adds. Any thread.
    void bypass(bool on);
    // Calls `done` on the routers' thread when no write to this router is in flight (without a
    // name: to any router), or after kQuietMs. Any thread.
    static constexpr std::uint64_t kQuietMs = 5'000;
    void when_quiet(std::string name, std::function<void()> done);
    [[nodiscard]] bool bypassed() const { return bypass_.load(std::memory_order_relaxed); }

    // At most half a second old, and not older than refresh(). Any thread.
    [[nodiscard]] std::vector<Status> status() const;
    // Takes new copies for status() and sinks(), then calls `done` on the routers' thread. Any
    // thread.
    void refresh(std::function<void()> done);
    // Of routers and other sinks; age as for status().
    [[nodiscard]] std::vector<SinkHealth> sinks() const;
    // Lists that /readyz needs, of all sinks; age as for status().
    [[nodiscard]] std::vector<NeededList> needed() const;
    [[nodiscard]] const Heartbeat& heartbeat() const { return heartbeat_; }
    // Outcomes of answers that waited; any thread.
    [[nodiscard]] Outcomes outcomes() const;
    // Rows that are missing because the row board was full; any thread.
    [[nodiscard]] std::uint64_t board_full() const { return lists_.board_full(); }
    [[nodiscard]] std::uint64_t refusals() const { return lists_.refusals(); }
    [[nodiscard]] std::uint64_t refusals_lost() const { return lists_.marks_lost(); }
    [[nodiscard]] std::uint64_t needed_hosts_skipped() const {
        return lists_.needed_hosts_skipped();
    }

  private:
    struct Link;
    void run();
    void take_up(std::vector<build::RouterPlan> plans);
    void add(build::RouterPlan plan);
    void reconfigure(Link& link, build::RouterPlan plan);
    void let_go(std::unique_ptr<Link> link);
    void end_retired();
    void divide_lists();
    void follow_routers();
    void obey(Link& link);
    [[nodiscard]] bool is_quiet(const std::string& name) const;
    // Calls `then` when `is_so` returns true; it is polled.
    void once(const std::function<bool()>& is_so, const std::function<void()>& then);
    void on_wake();
    void drain();
    [[nodiscard]] bool has_events() const;
    // The number of rows of claims that this appliance must write now and has not written yet.
    [[nodiscard]] static std::size_t unwritten(const Link& link);
    [[nodiscard]] std::size_t unwritten(const ClaimSink& sink) const;
    [[nodiscard]] std::size_t unwritten() const;
    void log_unwritten() const;
    void flush_acknowledgements();
    [[nodiscard]] Seen seen(Link& link);
    void publish_copies();
    void publish_status();

    DataplaneRuntime& runtime_;
    Clock& clock_;
    Log log_;
    RouterFindings findings_;
    Acknowledger acknowledger_;
    ListService lists_;
    boost::asio::io_context io_;
    std::vector<std::unique_ptr<Link>> links_;
    std::vector<std::unique_ptr<Link>> retired_;  // cleaning up
    std::vector<std::unique_ptr<ClaimSink>> others_;
    std::unique_ptr<ClaimPeers> peers_;  // nullptr: none
    std::atomic<bool> bypass_{false};
    struct Io;
    std::unique_ptr<Io> timers_;
    mutable std::mutex mutex_;
    std::vector<Status> status_;      // protected by the mutex
    std::vector<SinkHealth> sinks_;   // protected by the mutex
    std::vector<NeededList> needed_;  // protected by the mutex
    Heartbeat heartbeat_;
    std::thread thread_;
};

}  // namespace steer

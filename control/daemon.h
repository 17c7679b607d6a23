// The daemon: starts a configuration, serves it, and shuts it down.
//
// start() builds everything in an order in which each failure has a sentence: configuration, CPUs and memory, ports,
// tables, addresses to listen on. Then it gives up root and starts the threads. run() is the main thread until SIGTERM or
// SIGINT. The destructor shuts down in reverse order; the XDP program is detached with its link.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/api/metrics/http_server.h"
#include "control/api/rpc/control_socket.h"
#include "control/api/rpc/event_log.h"
#include "control/api/rpc/rpc_server.h"
#include "control/cache/cache_methods.h"
#include "control/cache/cache_service.h"
#include "control/config/settings.h"
#include "control/host/kernel/next_hops.h"
#include "control/host/kernel/reserved_ports.h"
#include "control/host/process/background.h"
#include "control/host/process/file_watch.h"
#include "control/host/process/heap_trim.h"
#include "control/host/process/published.h"
#include "control/mdns/mdns.h"
#include "control/observe/capture/capture_service.h"
#include "control/observe/health/awaited_lists.h"
#include "control/observe/health/certificate_watch.h"
#include "control/observe/health/doctor_reports.h"
#include "control/observe/health/overload_gate.h"
#include "control/observe/health/overload_watch.h"
#include "control/observe/health/upstream_probes.h"
#include "control/observe/health/upstream_speed.h"
#include "control/observe/health/watchdog.h"
#include "control/observe/lists/hits_service.h"
#include "control/observe/lists/why_service.h"
#include "control/observe/recorder/recorder_methods.h"
#include "control/observe/replay/replay_service.h"
#include "control/observe/trace/trace_service.h"
#include "control/program/build/build.h"
#include "control/program/build/publish.h"
#include "control/program/reload/reloader.h"
#include "control/program/reload/sizing.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/ports/exception_thread.h"
#include "control/runtime/ports/kernel_side.h"
#include "control/runtime/ports/port_set.h"
#include "control/runtime/query_record_feed.h"
#include "control/runtime/stream_threads.h"
#include "control/sinks/fleet/fleet_service.h"
#include "control/sinks/kernel_sets/set_program.h"
#include "control/sinks/kernel_sets/set_sink.h"
#include "control/sinks/opnsense/router_sinks.h"
#include "control/sinks/routers/router_thread.h"
#include "control/sources/edit/edit_service.h"
#include "control/sources/fetch/fetcher.h"
#include "control/sources/leases/lease_service.h"
#include "control/sources/records/static_service.h"
#include "control/sources/router_lists/router_list_service.h"
#include "control/sources/rules/rule_service.h"
#include "control/sources/tasks/task_service.h"
#include "dataplane/port/eal.h"

namespace steer {

class Daemon {
  public:
    // `settings`: from source.load(), without an error; `tried`: the URLs that were fetched, or tried,
    // for it.
    Daemon(config::Settings settings, ConfigSource source, std::set<std::string> tried = {});
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    Result<void> start();
    // All errors of the configuration, after a start() that failed because of it; else empty.
    [[nodiscard]] const std::vector<Error>& configuration_errors() const { return built_.errors; }
    void run();
    // Whether a signal ended it, in start() or run().
    [[nodiscard]] bool has_ended() const { return has_ended_; }
    // Shuts everything down, within kPatience for background work. False: some work (reading a list, building a matcher)
    // is still running and uses this object: the process must end without destructors.
    bool stop();

  private:
    [[nodiscard]] EalOptions eal_options() const;
    Result<void> judge_settings();
    Result<void> start_eal();
    Result<void> start_tables();
    void await_end();
    void start_cache();
    Result<void> start_network();
    Result<void> start_listeners();
    Result<void> start_ops();
    Result<void> start_control_socket();
    Result<void> start_rpc_server();
    [[nodiscard]] std::vector<std::string> dump_folders() const;
    [[nodiscard]] std::vector<std::string> own_folders() const;
    [[nodiscard]] ops::Audit audit();
    std::vector<std::string> make_rule_files();
    void keep_to_own_folders(std::vector<std::string>& handed) const;
    Result<void> give_up_rights();
    RouterFindings router_findings();
    void start_threads();
    void say_what_is_served();

    // Its health (daemon_health.cpp).
    void start_watchdog();
    void tell_state() const;
    void drain(bool on);
    void end_slowly();
    void end_now();
    void follow_readiness(const ops::HealthChecks& checks);
    ops::HealthChecks liveness();
    // The conditions of /readyz, as they are.
    ops::HealthChecks conditions();
    // As /readyz has them: the last box of a fleet serves on (fleet/withdrawal.h).
    [[nodiscard]] ops::HealthChecks served(ops::HealthChecks checks) const;
    ops::HealthChecks readiness() { return served(conditions()); }
    [[nodiscard]] std::string ports_trouble() const;
    [[nodiscard]] std::string upstreams_trouble() const;
    [[nodiscard]] std::string routers_trouble() const;
    [[nodiscard]] std::string shutdown_trouble() const;
    [[nodiscard]] bool answers(const UpstreamGroup& group) const;
    // "does not answer"; empty: it lives, as far as our probes know.
    [[nodiscard]] std::string upstream_trouble(const Upstream& upstream) const;
    [[nodiscard]] std::vector<CertificateEnd> certificate_ends() const;
    void look_at_certificates(std::uint64_t now_ms);
    void look_at_helpers();
    boost::json::value health_status();
    void write_health_metrics(ops::MetricWriter& writer);

    // Methods of the control socket (daemon_methods.cpp).
    void add_methods();
    std::optional<CacheMethods> cache_methods();
    void add_looks();
    void add_changes();

    // A reload (daemon_reload.cpp); each request gets its result.
    void reload(const std::string& why, Reloader::Done done = {}, bool any_size = false);
    void reload_by_queries(const std::string& why, Reloader::Done done);
    Reloader::Done noting(const std::string& why, bool by_queries, Reloader::Done done);
    [[nodiscard]] boost::json::value lists_status() const;
    void take_up(std::unique_ptr<Candidate> candidate);
    [[nodiscard]] std::vector<Error> refusals(const Candidate& candidate) const;
    void renew_certificates(Candidate& candidate);
    void renew_log_file(Candidate& candidate);
    void publish_candidate();
    [[nodiscard]] bool knows_hops(const Snapshot& snapshot) const;
    void put_in_force(Candidate& candidate, std::uint32_t generation);
    void note_in_force(std::uint64_t text_hash);
    void note_reload(const std::string& why, bool by_queries, const ReloadOutcome& outcome);
    Result<void> set_upstreams();
    [[nodiscard]] std::vector<IpAddress> upstream_addresses() const;
    void forget_old_upstreams();
    void watch_files();
    void files_changed(const std::vector<std::string>& files);
    [[nodiscard]] bool says_the_same_servers(const std::string& file) const;
    void fetch_lists();
    void compile_patterns();
    void begin_tasks();
    void repeat_mdns(const config::Settings& settings);
    void take_raised();
    void make_rule_service();
    void make_static_service();
    void make_lease_service();
    void make_router_list_service();
    void make_recorder();
    void record(const config::Settings& settings);
    void await_hangup();
    [[nodiscard]] std::vector<CacheOf> caches_of(const config::Settings& settings) const;
    [[nodiscard]] static std::vector<std::string> watched(const config::Settings& settings);
    [[nodiscard]] boost::json::value reload_status() const;
    void write_reload_metrics(ops::MetricWriter& writer) const;

    [[nodiscard]] static std::chrono::sys_seconds wall_time();
    void on_network(kernel::NextHopView view);
    void housekeeping();
    void tell_fleet(const ops::HealthChecks& checks);
    void look_at_upstreams();
    void follow_upstreams(build::Built& built);
    void send_probes();
    // What its probes say.
    void tell_workers(std::uint16_t upstream);
    void take_notes();

    [[nodiscard]] boost::json::value status();
    [[nodiscard]] boost::json::array opnsense_status() const;
    // What an operator should look at now (daemon_problems.cpp).
    [[nodiscard]] boost::json::value problems();
    void add_upstream_problems(const std::function<void(std::string)>& add) const;
    void add_list_problems(const std::function<void(std::string)>& add) const;
    [[nodiscard]] std::optional<double> best_rtt_ms(std::uint16_t upstream) const;
    [[nodiscard]] boost::json::value counters() const;
    void write_metrics(ops::MetricWriter& writer);
    void write_upstream_metrics(ops::MetricWriter& writer);

    config::Settings settings_;    // of the start
    const std::string unit_user_;  // of --user; empty: the configuration names the user
    const bool socket_of_option_;  // the configuration does not name it
    mutable BootClock clock_;      // reading it changes nothing
    std::uint64_t started_ms_ = 0;
    bool is_serving_ = false, has_ended_ = false, has_stopped_ = false;
    bool is_work_left_ = false;  // background work that stop() did not wait for
    boost::asio::io_context main_io_;
    boost::asio::signal_set signals_, hangup_;
    boost::asio::steady_timer housekeeping_, ending_;

    CpuPlan cpus_;
    build::Registry registry_;
    build::Built built_;
    std::vector<config::ReadList> lists_;  // in force
    ReadFiles read_;                       // of the configuration in force
    std::shared_ptr<TextsInForce> texts_;  // likewise
    std::unique_ptr<Eal> eal_;
    std::unique_ptr<PortSet> ports_;
    std::unique_ptr<ExceptionThread> exceptions_;
    std::unique_ptr<DataplaneRuntime> runtime_;
    std::unique_ptr<QueryRecordFeed> query_records_;
    std::unique_ptr<build::Publisher> publisher_;
    std::unique_ptr<CacheService> cache_service_;  // nullptr: no cache in the configuration
    std::unique_ptr<Published<NextHopTable>> hops_;
    std::unique_ptr<kernel::ReservedPorts> reserved_;
    std::unique_ptr<KernelSide> kernel_side_;
    std::unique_ptr<kernel::NextHops> watcher_;
    SetsInForce in_force_;
    std::vector<Upstream>
        upstreams_;  // of the snapshot in force, and of those before it that are still alive
    build::Channels channels_;  // of the same snapshots
    bool has_old_upstreams_ = false;
    UpstreamProbes upstream_probes_;
    UpstreamSpeed upstream_speed_;
    AwaitedLists awaited_lists_;
    std::vector<build::UpstreamNeed> upstream_needs_;       // of the snapshot in force
    std::map<std::uint16_t, build::UpstreamProbe> probes_;  // likewise, by Upstream::id
    build::WindowClock time_windows_;                       // of the snapshot in force
    OverloadWatch overload_watch_;
    HeapTrim heap_trim_;
    std::vector<ServiceAddress> kernels_;       // service addresses on kernel interfaces
    std::map<IpAddress, int> vrfs_;             // of upstreams
    std::vector<int> copying_;                  // interfaces with a copying port, sorted
    std::vector<kernel::DeviceState> devices_;  // of the ports, as they are now
    std::unique_ptr<StreamThreads> streams_;
    kernel_sets::SetProgram set_program_;  // of thread `routers` once it runs
    std::unique_ptr<RouterThread> routers_;
    kernel_sets::SetSink* sets_ = nullptr;             // of routers_
    std::unique_ptr<opnsense::RouterSinks> opnsense_;  // of routers_
    fleet::FleetService* fleet_ = nullptr;             // of routers_
    fleet::BoxFacts facts_;                            // as the fleet has them
    ops::Methods methods_;
    const ops::JsonRpc rpc_{methods_};
    const std::shared_ptr<ops::Subscriptions> subscriptions_ =
        std::make_shared<ops::Subscriptions>(main_io_);
    ops::EventLog events_{subscriptions_};
    std::unique_ptr<ops::ControlSocket> socket_;
    std::unique_ptr<ops::HttpServer> http_;       // metrics and health
    std::unique_ptr<ops::RpcServer> rpc_server_;  // nullptr: `http` of `control` is no map

    struct Health {
        std::uint64_t turn_ms = 0;          // of the main loop's timer, last
        std::uint64_t certificates_ms = 0;  // last check of certificates; 0: none yet
        std::vector<HelperWatch::Stuck> stuck_helpers;
    };
    Health health_;
    Heartbeat heartbeat_;                 // of the main loop
    std::unique_ptr<Watchdog> watchdog_;  // while run() runs
    CertificateWatch certificate_watch_;
    DoctorReports doctor_reports_{
        clock_, settings_.control.ready_nat64, [this](bool is_problem, const std::string& line) {
            events_.tell(ops::EventKind::doctor,
                         is_problem ? ops::EventLevel::warning : ops::EventLevel::info, line);
        }};
    bool is_draining_ = false;
    std::optional<std::uint64_t> ends_ms_;  // the end of `shutdown_delay`, after the signal
    OverloadGate overload_gate_{settings_.control.ready_overload};
    // As it was published last.
    struct Readiness {
        bool is_ready = true;  // before the first look: a start that serves is no news
        std::uint64_t told_ms = 0;
        std::string trouble;
    };
    Readiness readiness_;

    struct Reloads {
        std::uint64_t done = 0, refused = 0;
        std::uint64_t at_ms = 0;  // of the last finished reload; 0: none yet
        std::int64_t in_force_s =
            0;  // since 1970: when the configuration in force was put in force
        std::uint64_t text_hash = 0;  // of the configuration in force
        std::string hash_text;        // the same, in hexadecimal
        std::string trouble;          // why the last one was refused; empty: it was accepted
    };
    Reloads reloads_;
    // Since the start, until a reload has compiled the rules as they are.
    std::optional<matchers::OlderPatterns> older_patterns_;
    // The last reload that was logged, and its reason.
    std::pair<std::uint64_t, std::string> noted_;
    std::set<std::string> warned_;  // warnings of the last reload
    std::unique_ptr<Candidate>
        candidate_;  // waits for its upstreams' hops, and for a generation to end
    std::uint64_t candidate_since_ms_ = 0;
    std::unique_ptr<FileWatch> watch_;
    std::unique_ptr<WhyService> why_;
    std::unique_ptr<replay::ReplayService> replays_;
    std::unique_ptr<CaptureService> captures_;
    std::unique_ptr<TraceService> traces_;
    std::unique_ptr<HitsService> hits_;
    std::unique_ptr<recorder::Recorder> recorder_;
    std::unique_ptr<recorder::RecorderMethods> recorder_methods_;
    std::unique_ptr<edit::EditService> edits_;
    std::unique_ptr<fetch::Fetcher> fetcher_;
    std::unique_ptr<tasks::TaskService> tasks_;
    std::unique_ptr<rules::RuleService> rules_;
    std::unique_ptr<records::StaticService> statics_;
    std::unique_ptr<mdns::Mdns> mdns_;
    std::unique_ptr<leases::LeaseService> leases_;
    std::unique_ptr<router_lists::RouterListService> router_lists_;
    std::unique_ptr<Reloader> reloader_;
    BackgroundThread building_{"build", true};  // at the start
};

}  // namespace steer

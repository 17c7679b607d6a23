// The start of the daemon, step by step.
#include "control/daemon.h"

#include <malloc.h>
#include <rte_rcu_qsbr.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <new>
#include <system_error>

#include "control/api/metrics/worker_counters.h"
#include "control/api/page/page_files.h"
#include "control/config/lists/drop_rules.h"
#include "control/config/lists/list_changes.h"
#include "control/host/process/files_as.h"
#include "control/host/process/process_limits.h"
#include "control/host/process/rights.h"
#include "control/observe/lists/list_report.h"
#include "control/program/build/image_folder.h"
#include "control/program/reload/judge.h"
#include "control/program/reload/port_check.h"
#include "control/program/reload/surroundings.h"
#include "control/program/reload/text_hash.h"

namespace steer {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr auto kNeighbourPatience = 1500ms;
constexpr auto kSignalCheckEvery = 100ms;
// DPDK's two, the watchdog, routers, the process of the sets, cache, exception, a reload, why or hits, a history; the
// recorder, and one for each of its sinks.
constexpr unsigned kHouseThreads = 14;

ops::EventLevel level_of(routeros::Level level) {
    switch (level) {
        case routeros::Level::info:
            return ops::EventLevel::info;
        case routeros::Level::warning:
            return ops::EventLevel::warning;
        case routeros::Level::error:
            return ops::EventLevel::error;
    }
    return ops::EventLevel::info;
}

ops::EventLevel level_of(sets::Level level) {
    return level == sets::Level::info ? ops::EventLevel::info : ops::EventLevel::warning;
}

// What writes a router's lines, or those of sets, into the log of events. Any thread may call it.
auto router_log(ops::EventLog& events) {
    return [&events](auto level, const std::string& line) {
        events.tell(ops::EventKind::router, level_of(level), line);
    };
}

}  // namespace

ops::Audit Daemon::audit() {
    return [this](const std::string& line) {
        events_.tell(ops::EventKind::change, ops::EventLevel::info, line);
    };
}

Result<void> Daemon::start() {
    started_ms_ = clock_.now().ms;
    await_end();
    for (const auto step : {&Daemon::judge_settings, &Daemon::start_eal, &Daemon::start_tables,
                            &Daemon::start_network, &Daemon::start_listeners, &Daemon::start_ops,
                            &Daemon::give_up_rights}) {
        if (auto done = (this->*step)(); !done) return done;
    }
    try {
        start_threads();
    } catch (const std::system_error& error) {  // the new user's limits differ
        return no_thread(error);
    }
    note_in_force(text_hash(settings_));
    is_serving_ = true;
    say_what_is_served();
    ::sd_notify(0, "READY=1");
    tell_state();
    return {};
}

Result<void> Daemon::start_eal() {
    auto cpus = plan_cpus(settings_.dataplane, allowed_cpus());
    if (!cpus) return Error{cpus.error().text, settings_.file, settings_.dataplane.line};
    cpus_ = std::move(*cpus);
    const auto workers = static_cast<unsigned>(cpus_.workers.size());
    if (const auto cpus_there = allowed_cpus().size(); workers > cpus_there) {
        spdlog::warn(
            "{} workers share {} CPUs and slow each other down: lower `workers` of "
            "`dataplane` to {} or less",
            workers, cpus_there, cpus_there);
    }
    if (auto good =
            check_process_limits(workers + settings_.control.stream_threads + kHouseThreads);
        !good)
        return good;
    if (auto good = check_ports(settings_, look_at_host()); !good) return good;
    auto eal = Eal::start(eal_options());
    if (!eal) return eal.error();
    eal_ = std::move(*eal);
    bind_to(cpus_.control);
    auto ports = PortSet::open(settings_);
    if (!ports) return ports.error();
    ports_ = std::move(*ports);
    for (const auto& warning : ports_->warnings())
        spdlog::warn("{}", warning);
    exceptions_ = std::make_unique<ExceptionThread>(
        ports_->exceptions(), [](const std::string& s) { spdlog::error("{}", s); });
    return {};
}

EalOptions Daemon::eal_options() const {
    EalOptions options{.worker_cpus = cpus_.workers,
                       .memory_bytes = settings_.dataplane.memory_bytes};
    for (const auto& port : settings_.dataplane.ports) {
        if (!port.pci.empty()) options.pci.push_back(port.pci);
        if (port.driver == config::Driver::memif || port.driver == config::Driver::vdev)
            options.shares_memory = true;
    }
    return options;
}

// Before any resource is used. On a separate thread, so that a signal can end the start: a build cannot be interrupted.
Result<void> Daemon::judge_settings() {
    std::atomic<bool> is_done = false;
    std::string no_room;
    auto begun = building_.run([&] {
        try {
            const FilesAs files(unit_user_, sources_of(settings_));
            build::ImageFolder images(settings_.control.images, unit_user_);
            images.allow_older();
            built_ = judge(settings_, registry_, images.folder().empty() ? nullptr : &images);
            older_patterns_ = images.older();
        } catch (const std::bad_alloc&) {
            no_room = no_memory("to build the configuration").text;
        }
        is_done = true;
        asio::post(main_io_, [] {});  // wakes the loop below
    });
    if (!begun) return begun;
    while (!is_done && !has_ended_)
        main_io_.run_one_for(kSignalCheckEvery);
    if (has_ended_) return Error{"ended by a signal"};
    if (!no_room.empty()) return Error{no_room};
    for (const auto& warning : built_.warnings)
        spdlog::warn("{}", warning.sentence());
    if (!built_.ok()) return built_.errors.front();
    return {};
}

Result<void> Daemon::start_tables() {
    lists_ = settings_.lists;
    awaited_lists_.begin(lists_);
    for (const auto& news : config::list_news({}, lists_))
        spdlog::info("{}", news);
    config::drop_rules(settings_);
    ::malloc_trim(0);  // a list of a million lines was 100 MiB of them
    const auto workers = static_cast<unsigned>(cpus_.workers.size());
    auto options = plan_tables(settings_, *built_.snapshot, eal_->memory_bytes(), workers);
    if (!options) return options.error();
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    options->worker.traces_from = first_trace_id(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()));
    runtime_ = std::make_unique<DataplaneRuntime>(*options);
    query_records_ = std::make_unique<QueryRecordFeed>(*runtime_);
    spdlog::info("cache keys are computed by {} code",
                 cache::label(runtime_->shared().hasher->lanes()));
    publisher_ = std::make_unique<build::Publisher>(runtime_->shared());
    hops_ = std::make_unique<Published<NextHopTable>>(runtime_->shared().next_hops,
                                                      runtime_->shared().qsbr);
    for (unsigned i = 0; i < workers; ++i)
        runtime_->add_worker(ports_->of_worker(i, workers), clock_);
    auto published = publisher_->publish(built_.snapshot, clock_.now());
    if (!published) return published.error();
    in_force_ = {built_.sets, publisher_->current()->names};
    texts_->set(std::move(settings_.texts));
    upstreams_ = publisher_->current()->upstreams;
    follow_upstreams(built_);
    start_cache();
    return {};
}

// The caches of the snapshot in force, as their plugins have them.
std::vector<CacheOf> Daemon::caches_of(const config::Settings& settings) const {
    std::vector<CacheOf> caches;
    for (const auto& instance : publisher_->current()->caches) {
        CacheOf one{.instance = instance.id, .tag = instance.tag};
        for (const auto& plugin : settings.plugins) {
            const auto* const args = std::get_if<config::Cache>(&plugin.args);
            if (args == nullptr || plugin.tag != instance.tag) continue;
            one.dump_file = args->dump_file;
            one.dump_interval = args->dump_interval;
        }
        caches.push_back(std::move(one));
    }
    return caches;
}

// Restores dumps before the first query.
void Daemon::start_cache() {
    if (runtime_->shared().cache == nullptr) return;
    cache_service_ = std::make_unique<CacheService>(
        main_io_, *runtime_, clock_, caches_of(settings_), registry_.list_names(),
        [](bool warning, const std::string& s) {
            spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", s);
        });
    const FilesAs files(unit_user_);
    cache_service_->restore();
}

Result<void> Daemon::start_network() {
    const auto& dataplane = settings_.dataplane;
    if (ports_->any_frames()) {
        auto reserved = kernel::ReservedPorts::reserve(dataplane.first_upstream_port,
                                                       dataplane.last_upstream_port);
        if (reserved) {
            reserved_ = std::move(*reserved);
        } else {
            spdlog::warn("{}", reserved.error().sentence());
        }
    }
    if (auto done = set_upstreams(); !done) return done;
    auto side = KernelSide::apply(main_io_, settings_, *ports_);
    if (!side) return side.error();
    kernel_side_ = std::move(*side);
    for (const auto& warning : kernel_side_->warnings())
        spdlog::warn("{}", warning);
    watcher_ = std::make_unique<kernel::NextHops>(
        main_io_, ports_->devices(),
        [this](kernel::NextHopView view) { on_network(std::move(view)); },
        [](const std::string& sentence) { spdlog::warn("{}", sentence); });
    watcher_->on_change([this] {
        if (streams_) streams_->network_changed();
        upstream_probes_.network_changed();
        if (mdns_) mdns_->network_changed();
    });
    // Behind a port that the kernel does not see, ARP is answered only when the workers run.
    return watcher_->start(upstream_addresses(),
                           ports_->any_on_kernels_wire() ? kNeighbourPatience : 0ms);
}

Result<void> Daemon::start_listeners() {
    streams_ = std::make_unique<StreamThreads>(*runtime_, clock_, [this](const std::string& s) {
        if (!s.starts_with("upstream ")) return spdlog::warn("{}", s);
        const bool is_good = s.find(" can be asked again") != std::string::npos;
        events_.tell(ops::EventKind::upstream,
                     is_good ? ops::EventLevel::info : ops::EventLevel::warning, s);
    });
    streams_->set_copying_interfaces(copying_);
    streams_->set_vrfs(vrfs_);
    channels_ = built_.channels;
    const FilesAs files(unit_user_, sources_of(settings_));
    streams_->set_upstreams(channels_);
    return streams_->listen(built_.listeners, kernels_, ports_->any_frames());
}

Result<void> Daemon::start_ops() {
    (void)set_program_.open();  // without sets it may be missing; starting it says so
    {
        const FilesAs files(unit_user_);  // they read what they kept
        make_rule_service();
        make_static_service();
        make_lease_service();
        make_router_list_service();
    }
    make_recorder();
    add_methods();
    if (auto done = start_control_socket(); !done) return done;
    if (const auto& http = settings_.control.http) {
        http_ = std::make_unique<ops::HttpServer>(
            main_io_,
            ops::HttpContent{.metrics = {[this](ops::MetricWriter& w) { write_metrics(w); }},
                             .live = [this] { return liveness(); },
                             .ready = [this] { return readiness(); }});
        if (auto done = http_->listen(http->address, http->port); !done) {
            return Error{done.error().text, settings_.file, http->line};
        }
    }
    return start_rpc_server();
}

Result<void> Daemon::start_control_socket() {
    auto roles = ops::PeerRoles::resolve(settings_.control.roles);
    if (!roles) return Error{roles.error().text, settings_.file, roles.error().line};
    subscriptions_->set_counters([this] { return ops::numbers_of(counters()); });
    subscriptions_->add_methods(methods_);
    events_.add_methods(methods_);
    socket_ = std::make_unique<ops::ControlSocket>(
        main_io_, rpc_,
        ops::ControlSocket::Options{
            .audit = audit(), .roles = std::move(*roles), .subscriptions = subscriptions_});
    const FilesAs files(socket_of_option_ || is_nobody(unit_user_) ? "" : unit_user_);
    return socket_->listen(settings_.control.socket);
}

// While root may still read keys and tokens.
Result<void> Daemon::start_rpc_server() {
    if (!settings_.control.rpc) return {};
    rpc_server_ =
        std::make_unique<ops::RpcServer>(main_io_, rpc_, clock_,
                                         ops::RpcServer::Options{.settings = *settings_.control.rpc,
                                                                 .audit = audit(),
                                                                 .subscriptions = subscriptions_,
                                                                 .files = page::files()});
    const FilesAs files(unit_user_, sources_of(settings_));
    if (auto done = rpc_server_->listen(); !done)
        return Error{done.error().text, settings_.file, done.error().line};
    return {};
}

// Fetched lists, and the rules of all lists.
boost::json::value Daemon::lists_status() const {
    boost::json::object all{{"lists", boost::json::array{}}};
    if (fetcher_) all = fetcher_->status().as_object();
    all["sets"] = list_rules(lists_);
    return all;
}

RouterFindings Daemon::router_findings() {
    const std::string file = settings_.control.findings;
    if (file.empty()) return RouterFindings{};
    auto known = load_findings(file);
    if (!known) spdlog::warn("{}", known.error().sentence());
    return RouterFindings(known ? *known : RouterFindings::ByVersion{},
                          [this, file](const std::string& text) {
                              boost::asio::post(main_io_, [file, text] {
                                  const auto saved = save_findings(file, text);
                                  if (!saved) spdlog::warn("{}", saved.error().sentence());
                              });
                          });
}

void Daemon::make_lease_service() {
    leases_ = std::make_unique<leases::LeaseService>(main_io_, clock_, runtime_->shared().qsbr,
                                                     settings_.control.leases, router_log(events_));
}

void Daemon::make_router_list_service() {
    router_lists_ = std::make_unique<router_lists::RouterListService>(
        main_io_, clock_, runtime_->shared().qsbr, settings_.control.router_lists,
        router_log(events_));
}

void Daemon::make_recorder() {
    recorder_ = std::make_unique<recorder::Recorder>(
        *query_records_,
        [] {
            return std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                .count();
        },
        [](const std::string& sentence) { spdlog::warn("{}", sentence); });
    recorder_->set_watcher([all = subscriptions_](const recorder::RecordedQuery& query) {
        const ops::Facts facts{.kind = query.end, .name = query.name, .client = query.client};
        all->publish(ops::Topic::queries, facts, [&query] { return recorder::json_of(query); });
    });
    recorder_methods_ = std::make_unique<recorder::RecorderMethods>(main_io_, *recorder_);
}

// The files are opened by the user that serves.
void Daemon::record(const config::Settings& settings) {
    recorder::RecordNames names;
    for (const Upstream& upstream : publisher_->current()->upstreams) {
        if (names.upstreams.size() <= upstream.id) names.upstreams.resize(upstream.id + 1U);
        names.upstreams[upstream.id] = upstream.name;
    }
    for (const config::PluginIndex entry : settings.entries)
        names.entries.push_back(settings.plugin(entry).tag);
    recorder::MarkBits marks;
    for (const MarkNumber& mark : publisher_->current()->marks)
        marks.emplace(mark.number, mark.bit);
    recorder_->follow(recorder::recording_plans(settings, marks), std::move(names));
}

void Daemon::start_threads() {
    routers_ = std::make_unique<RouterThread>(*runtime_, clock_, built_.routers,
                                              router_log(events_), router_findings());
    routers_->add_sink([this](auto& io, auto& observer) {
        auto sink = std::make_unique<kernel_sets::SetSink>(
            io, observer, [this] { return set_program_.start(); }, router_log(events_));
        sink->configure(built_.kernel_sets, built_.ready_sets);
        sets_ = sink.get();
        return sink;
    });
    routers_->add_peers([this](auto& io) {
        auto service = std::make_unique<fleet::FleetService>(
            io, [this] { return clock_.now().ms; }, router_log(events_));
        service->use_hosts(runtime_->needed_hosts());
        service->serve_tickets(streams_->ticket_servers());
        service->configure(fleet::fleet_plan(settings_));
        fleet_ = service.get();
        return service;
    });
    opnsense_ = std::make_unique<opnsense::RouterSinks>(*routers_, clock_, router_log(events_));
    opnsense_->configure(built_.opnsense);
    runtime_->start();
    if (cache_service_) cache_service_->start();
    exceptions_->start();
    streams_->start();
    routers_->start();
    record(settings_);
}

void Daemon::say_what_is_served() {
    for (const auto& warning :
         eal_->huge_pages() ? std::vector<std::string>{} : std::vector{eal_->summary()}) {
        spdlog::info("memory: {}", warning);
    }
    std::string addresses;
    for (const auto& address : hops_->current()->service_addresses)
        addresses += " " + address.to_string();
    if (addresses.empty()) {
        spdlog::warn(
            "there is no address to answer on: give the port's interface one (`ip address add`); "
            "it is served from then on");
    }
    for (const auto& port : ports_->reports()) {
        spdlog::info("serving on {}{} by {} because {}{}", port.device, addresses, port.driver,
                     port.why, port.offers.empty() ? "" : " (" + port.offers + ")");
    }
}

}  // namespace steer

#include "control/daemon.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>

#include "control/api/log/notes.h"
#include "matchers/pattern/compiler.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kHousekeepingEvery = 100ms;
// Reading a list and building a matcher cannot be interrupted.
constexpr auto kBackgroundPatience = 400ms;

std::vector<std::uint16_t> service_ports(const std::vector<build::Listener>& listeners) {
    std::vector<std::uint16_t> ports;
    for (const auto& l : listeners) {
        if (l.udp && std::find(ports.begin(), ports.end(), l.endpoint.port) == ports.end()) {
            ports.push_back(l.endpoint.port);
        }
    }
    return ports;
}

// Service addresses that the kernel has: those that a socket can be bound to. A port without a kernel side
// has addresses of its own.
std::vector<ServiceAddress> of_kernel(const NextHopTable& table,
                                      std::span<const kernel::DeviceState> devices) {
    std::vector<IpAddress> both;
    std::set_intersection(table.service_addresses.begin(), table.service_addresses.end(),
                          table.own_addresses.begin(), table.own_addresses.end(),
                          std::back_inserter(both));
    std::vector<ServiceAddress> all;
    for (const IpAddress& ip : both) {
        const std::size_t before = all.size();
        for (const auto& device : devices) {
            for (const auto& there : device.addresses) {
                if (ip.is_link_local() && there.ip == ip) all.push_back({ip, there.if_index});
            }
        }
        if (all.size() == before) all.push_back({ip});
    }
    return all;
}

}  // namespace

Daemon::Daemon(config::Settings settings, ConfigSource source, std::set<std::string> tried)
    : settings_(std::move(settings)),
      unit_user_(source.user),
      socket_of_option_(!source.control_socket.empty()),
      signals_(main_io_, SIGTERM, SIGINT),
      hangup_(main_io_, SIGHUP),
      housekeeping_(main_io_),
      ending_(main_io_),
      cpus_{},
      read_(settings_),
      texts_(source.in_force),
      why_(std::make_unique<WhyService>(main_io_, source, in_force_)),
      replays_(std::make_unique<replay::ReplayService>(main_io_, source)),
      traces_(std::make_unique<TraceService>(main_io_, source)),
      hits_(std::make_unique<HitsService>(main_io_, source)),
      edits_(std::make_unique<edit::EditService>(
          main_io_, source,
          [this](const std::string& why, Reloader::Done done) { reload(why, std::move(done)); })),
      reloader_(std::make_unique<Reloader>(
          main_io_, std::move(source),
          [this] {
              return Reloader::InForce{registry_, lists_, read_};
          },
          [this](std::unique_ptr<Candidate> candidate) { take_up(std::move(candidate)); },
          [this] { return watch_ ? watch_->files() : std::vector<std::string>{}; },
          std::move(tried))) {}

Daemon::~Daemon() {
    stop();
}

void Daemon::await_end() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        spdlog::info("ending on {}", number == SIGTERM ? "SIGTERM" : "SIGINT");
        ::sd_notify(0, "STOPPING=1");
        if (is_serving_ && !ends_ms_ && settings_.control.shutdown_delay > 0ms) {
            await_end();  // a second signal does not wait
            end_slowly();
        } else {
            end_now();
        }
    });
}

void Daemon::end_now() {
    has_ended_ = true;
    main_io_.stop();
}

// Not ready, but serving, for `shutdown_delay`.
void Daemon::end_slowly() {
    const auto delay = settings_.control.shutdown_delay;
    spdlog::info("not ready; answering queries for another {} ms", delay.count());
    ends_ms_ = clock_.now().ms + static_cast<std::uint64_t>(delay.count());
    streams_->set_draining(true);
    tell_state();
    follow_readiness(readiness());
    ending_.expires_after(delay);
    ending_.async_wait([this](const boost::system::error_code& error) {
        if (!error) end_now();
    });
}

void Daemon::run() {
    await_hangup();
    watch_files();
    fetch_lists();
    compile_patterns();
    begin_tasks();
    repeat_mdns(settings_);
    rules_->follow(settings_);
    statics_->follow(settings_);
    edits_->follow(settings_);
    replays_->follow(settings_);
    leases_->follow(built_.leases);
    router_lists_->follow(built_.router_lists);
    time_windows_.follow(built_.windows, wall_time());
    housekeeping();
    start_watchdog();
    if (!has_ended_) main_io_.run();
    stop();
}

std::chrono::sys_seconds Daemon::wall_time() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void Daemon::housekeeping() {
    take_notes();
    traces_->poll();
    take_raised();
    time_windows_.look(wall_time());
    rules_->poll(clock_.now().ms);
    publisher_->poll(clock_.now());
    publish_candidate();
    recorder_->watch(subscriptions_->wants(ops::Topic::queries));
    forget_old_upstreams();
    hops_->poll();
    leases_->poll();
    router_lists_->poll();
    look_at_upstreams();
    health_.turn_ms = clock_.now().ms;
    const ops::HealthChecks checks = conditions();
    tell_fleet(checks);
    follow_readiness(served(checks));
    heartbeat_.beat();
    look_at_certificates(health_.turn_ms);
    look_at_helpers();
    if (heap_trim_.is_due(streams_->connections(), health_.turn_ms)) ::malloc_trim(0);
    for (const auto& sentence : ports_->follow_devices())
        spdlog::warn("{}", sentence);
    for (const auto& sentence : kernel_side_->follow_interfaces())
        spdlog::warn("{}", sentence);
    housekeeping_.expires_after(kHousekeepingEvery);
    housekeeping_.async_wait([this](const boost::system::error_code& error) {
        if (!error) housekeeping();
    });
}

void Daemon::look_at_upstreams() {
    std::vector<const Counters*> workers;
    for (unsigned w = 0; w < runtime_->workers(); ++w)
        workers.push_back(&runtime_->worker(w).counters());
    for (const std::string& sentence : overload_watch_.look(workers, clock_.now().ms))
        events_.tell(ops::EventKind::overload, ops::EventLevel::warning, sentence);
    if (const auto now_ms = clock_.now().ms; overload_gate_.is_due(now_ms)) {
        std::uint64_t lost = 0;
        for (const auto& [device, losses] : ports_->losses())
            lost += losses.ring_full + losses.no_buffer;
        overload_gate_.look(overload_sums(workers, lost), now_ms);
    }
    send_probes();
}

// What clients got from an upstream decides when it is asked, not whether it lives.
void Daemon::send_probes() {
    const std::uint64_t now_ms = clock_.now().ms;
    const std::vector<Upstream>& upstreams = publisher_->current()->upstreams;
    for (const Upstream& upstream : upstreams) {
        UpstreamProbes::Traffic traffic;
        UpstreamSpeed::Replies replies{};
        for (unsigned w = 0; w < runtime_->workers(); ++w) {
            const UpstreamHealth& health = runtime_->worker(w).upstream_health(upstream.id);
            traffic.queries += health.queries.get();
            traffic.replies += health.replies.get();
            traffic.edns_refusals += health.edns_refusals.get();
            for (std::size_t i = 0; i < replies.size(); ++i)
                replies[i] += health.by_latency[i].get();
        }
        upstream_speed_.see(upstream.id, replies, now_ms);
        upstream_probes_.see(upstream.id, traffic, now_ms);
        tell_workers(upstream.id);
        const std::string news = upstream_probes_.news(upstream.id, upstream.name, now_ms);
        if (news.empty()) continue;
        const bool is_good = news.ends_with(UpstreamProbes::kAnswersAgain);
        events_.tell(ops::EventKind::upstream,
                     is_good ? ops::EventLevel::info : ops::EventLevel::warning, news);
    }
    for (const std::uint16_t id : upstream_probes_.due(now_ms)) {
        const auto upstream = std::ranges::find(upstreams, id, &Upstream::id);
        if (upstream == upstreams.end()) continue;
        streams_->probe({.upstream = id,
                         .has_channel = upstream->channel != Channel::none,
                         .address = upstream->address,
                         .port = upstream->port,
                         .query = probes_.at(id).query},
                        [this, id](bool refuses_edns) {
                            boost::asio::post(main_io_, [this, id, refuses_edns] {
                                upstream_probes_.replied(id, refuses_edns);
                                tell_workers(id);
                            });
                        });
    }
}

void Daemon::tell_workers(std::uint16_t upstream) {
    for (unsigned w = 0; w < runtime_->workers(); ++w)
        runtime_->worker(w).probed(upstream, upstream_probes_.is_silent(upstream),
                                   upstream_probes_.is_without_edns(upstream));
}

void Daemon::follow_upstreams(build::Built& built) {
    upstream_needs_ = std::move(built.upstream_needs);
    probes_ = std::move(built.probes);
    upstream_probes_.follow(probes_);
}

// At most one ring size of each worker, so that a busy worker cannot keep this loop running.
void Daemon::take_notes() {
    Note note;
    for (unsigned w = 0; w < runtime_->workers(); ++w) {
        auto& notes = runtime_->notes(w);
        for (unsigned left = notes.capacity(); left > 0 && notes.pop(&note, 1) == 1; --left) {
            const Snapshot* const snapshot = publisher_->find(note.generation);
            if (note.kind == NoteKind::learned) {
                if (!rules_) continue;
                if (snapshot == nullptr) {
                    rules_->learned_by_nobody();
                } else {
                    rules_->learned(snapshot->learners[note.text].tag,
                                    std::span(note.qname).first(note.qname_len));
                }
                continue;
            }
            const std::string title =
                snapshot != nullptr ? snapshot->texts[note.text] : std::string{};
            for (const auto& line : ops::note_lines(note, title))
                spdlog::info("{}", line);
        }
    }
}

// In an order in which no object uses a destroyed one. Idempotent.
bool Daemon::stop() {
    if (std::exchange(has_stopped_, true)) return !is_work_left_;
    watchdog_.reset();
    matchers::pattern_compiler().stop();
    if (reloader_) reloader_->end();
    if (fetcher_) fetcher_->end();
    if (tasks_) tasks_->end();
    if (replays_) replays_->end();
    is_work_left_ = !BackgroundWork::wait_for_none(kBackgroundPatience);
    // Remaining threads use their owner, so the process ends without destructors.
    const auto drop = [this](auto& owner) {
        if (is_work_left_) {
            (void)owner.release();
        } else {
            owner.reset();
        }
    };
    watch_.reset();
    drop(tasks_);
    mdns_.reset();
    rules_.reset();
    drop(fetcher_);
    drop(reloader_);
    candidate_.reset();
    if (socket_) socket_->close();
    if (http_) http_->close();
    if (rpc_server_) rpc_server_->close();
    drop(hits_);
    drop(why_);
    drop(replays_);
    if (traces_) traces_->end();
    if (captures_) captures_->end();
    drop(recorder_methods_);
    if (streams_) streams_->stop();
    if (cache_service_) cache_service_->stop();
    if (runtime_) runtime_->stop();
    // Behind the workers: each answer that left is claimed.
    if (routers_) routers_->stop(RouterThread::kEndMs);
    drop(traces_);
    drop(captures_);
    if (recorder_) recorder_->stop();
    if (cache_service_ && is_serving_) cache_service_->dump_at_end();
    is_serving_ = false;
    cache_service_.reset();
    leases_.reset();
    if (exceptions_) exceptions_->stop();
    if (runtime_ && publisher_) take_notes();
    watcher_.reset();
    kernel_side_.reset();
    sets_ = nullptr;
    fleet_ = nullptr;
    opnsense_.reset();
    routers_.reset();
    streams_.reset();
    hops_.reset();
    publisher_.reset();
    drop(recorder_);
    drop(query_records_);
    runtime_.reset();
    exceptions_.reset();
    reserved_.reset();
    ports_.reset();
    return !is_work_left_;
}

// ---- the network

// The upstream addresses by which workers and XDP programs recognize replies.
Result<void> Daemon::set_upstreams() {
    std::vector<UpstreamEndpoint> endpoints;
    for (const auto& upstream : upstreams_) {
        if (upstream.channel == Channel::none)
            endpoints.push_back({upstream.address, upstream.port});
    }
    return ports_->set_upstreams(endpoints, service_ports(built_.listeners),
                                 settings_.dataplane.first_upstream_port,
                                 settings_.dataplane.last_upstream_port);
}

// By Upstream::id. An upstream with a name has no address.
std::vector<IpAddress> Daemon::upstream_addresses() const {
    std::vector<IpAddress> addresses;
    for (const auto& upstream : upstreams_) {
        if (addresses.size() <= upstream.id) addresses.resize(upstream.id + 1U);
        addresses[upstream.id] = upstream.address;
    }
    return addresses;
}

// Addresses, routes or neighbours changed: workers, XDP programs and listeners follow.
void Daemon::on_network(kernel::NextHopView view) {
    auto table = std::make_unique<NextHopTable>(*view.table);
    table->service_ports = service_ports(built_.listeners);
    for (const auto& done : {ports_->set_addresses(table->service_addresses, table->own_addresses),
                             ports_->set_devices(view.devices)}) {
        if (!done) spdlog::error("{}", done.error().sentence());
    }
    copying_.clear();
    for (const auto& device : view.devices)
        copying_.insert(copying_.end(), device.copying.begin(), device.copying.end());
    std::sort(copying_.begin(), copying_.end());
    kernels_ = of_kernel(*table, view.devices);
    devices_ = view.devices;
    vrfs_ = std::move(view.vrfs);
    if (streams_) {
        streams_->set_vrfs(vrfs_);
        streams_->set_copying_interfaces(copying_);
        streams_->set_service_addresses(kernels_);
    }
    kernel_side_->follow(view.devices);
    hops_->put(std::move(table));
}

}  // namespace steer

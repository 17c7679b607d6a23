#include "control/daemon.h"

#include <malloc.h>
#include <rte_rcu_qsbr.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "control/ad_list_methods.h"
#include "control/build/image_folder.h"
#include "control/cache/cache_methods.h"
#include "control/certificates.h"
#include "control/config/drop_rules.h"
#include "control/ops/notes.h"
#include "control/ops/worker_counters.h"
#include "control/port_check.h"
#include "control/reverse_methods.h"
#include "control/rights.h"
#include "control/router_methods.h"
#include "control/rules/rule_file.h"
#include "control/surroundings.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kHousekeepingEvery = 100ms;
constexpr auto kNeighbourPatience = 1500ms;
constexpr unsigned kCleanupPatienceMs = 5000;
constexpr const char* kStateFolder = "/var/lib/steerdns";  // ours to make, and to hand over

void log_router(routeros::Level level, const std::string& sentence) {
    switch (level) {
        case routeros::Level::info:
            return spdlog::info("{}", sentence);
        case routeros::Level::warning:
            return spdlog::warn("{}", sentence);
        case routeros::Level::error:
            return spdlog::error("{}", sentence);
    }
}

void log_set(sets::SetDesk::Level level, const std::string& sentence) {
    if (level == sets::SetDesk::Level::info) return spdlog::info("{}", sentence);
    spdlog::warn("{}", sentence);
}

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
      signals_(house_, SIGTERM, SIGINT),
      hangup_(house_, SIGHUP),
      housekeeping_(house_),
      cpus_{},
      why_(std::make_unique<WhyDesk>(house_, source, in_force_)),
      hits_(std::make_unique<HitsDesk>(house_, source)),
      reloader_(std::make_unique<Reloader>(
          house_, std::move(source), [this] { return registry_; },
          [this](std::unique_ptr<Candidate> candidate) { take_up(std::move(candidate)); },
          std::move(tried))) {}

Daemon::~Daemon() {
    stop();
}

Result<void> Daemon::start() {
    started_ms_ = clock_.now().ms;
    for (const auto step :
         {&Daemon::start_eal, &Daemon::start_tables, &Daemon::start_network,
          &Daemon::start_listeners, &Daemon::start_ops, &Daemon::give_up_rights}) {
        if (auto done = (this->*step)(); !done) return done;
    }
    start_threads();
    is_serving_ = true;
    say_what_is_served();
    return {};
}

Result<void> Daemon::start_eal() {
    auto cpus = plan_cpus(settings_.dataplane, allowed_cpus());
    if (!cpus) return Error{cpus.error().text, settings_.file, settings_.dataplane.line};
    cpus_ = std::move(*cpus);
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

Result<void> Daemon::start_tables() {
    build::ImageFolder images(settings_.control.images);
    built_ = build::build(settings_, look_around(settings_), registry_,
                          images.folder().empty() ? nullptr : &images);
    for (const auto& sentence : images.take_sentences())
        spdlog::warn("{}", sentence);
    for (const auto& warning : built_.warnings)
        spdlog::warn("{}", warning.sentence());
    if (!built_.ok()) return built_.errors.front();
    config::drop_rules(settings_);
    ::malloc_trim(0);  // a list of a million lines was 100 MiB of them
    const auto workers = static_cast<unsigned>(cpus_.workers.size());
    auto options = plan_tables(settings_, *built_.snapshot, eal_->memory_bytes(), workers);
    if (!options) return options.error();
    plane_ = std::make_unique<Plane>(*options);
    spdlog::info("SIMD beyond what this build is for: {}",
                 cache::label(plane_->shared().hasher->lanes()));
    publisher_ = std::make_unique<build::Publisher>(plane_->shared());
    hops_ = std::make_unique<Published<NextHopTable>>(plane_->shared().next_hops,
                                                      plane_->shared().qsbr);
    for (unsigned i = 0; i < workers; ++i)
        plane_->add_worker(ports_->of_worker(i, workers), clock_);
    auto published = publisher_->publish(built_.snapshot, clock_.now());
    if (!published) return published.error();
    in_force_ = {built_.sets, publisher_->current()->names};
    upstreams_ = publisher_->current()->upstreams;
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

// What was dumped comes back before anybody asks.
void Daemon::start_cache() {
    if (plane_->shared().cache == nullptr) return;
    cache_desk_ = std::make_unique<CacheDesk>(
        house_, *plane_, clock_, caches_of(settings_), registry_.list_names(),
        [](bool warning, const std::string& s) {
            spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", s);
        });
    cache_desk_->restore();
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
    auto side = KernelSide::apply(house_, settings_, *ports_);
    if (!side) return side.error();
    kernel_side_ = std::move(*side);
    for (const auto& warning : kernel_side_->warnings())
        spdlog::warn("{}", warning);
    watcher_ = std::make_unique<kernel::NextHops>(
        house_, ports_->devices(),
        [this](kernel::NextHopView view) { on_network(std::move(view)); },
        [](const std::string& sentence) { spdlog::warn("{}", sentence); });
    watcher_->on_change([this] {
        if (streams_) streams_->network_changed();
        if (mdns_) mdns_->network_changed();
    });
    // Behind a port that the kernel does not see, nobody answers before the workers run.
    return watcher_->start(upstream_addresses(),
                           ports_->any_on_kernels_wire() ? kNeighbourPatience : 0ms);
}

// Where workers and XDP programs know replies from.
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

// By Upstream::id. One that is asked by name has none.
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
    vrfs_ = std::move(view.vrfs);
    if (streams_) {
        streams_->set_vrfs(vrfs_);
        streams_->set_copying_interfaces(copying_);
        streams_->set_service_addresses(kernels_);
    }
    kernel_side_->follow(view.devices);
    hops_->put(std::move(table));
}

Result<void> Daemon::start_listeners() {
    streams_ = std::make_unique<StreamThreads>(*plane_, clock_,
                                               [](const std::string& s) { spdlog::warn("{}", s); });
    streams_->set_copying_interfaces(copying_);
    streams_->set_vrfs(vrfs_);
    channels_ = built_.channels;
    streams_->set_upstreams(channels_);
    return streams_->listen(built_.listeners, kernels_, ports_->any_frames());
}

Result<void> Daemon::start_ops() {
    rpc_.add("status", [this](const boost::json::value&) -> ops::RpcResult { return status(); });
    rpc_.add("counters",
             [this](const boost::json::value&) -> ops::RpcResult { return counters(); });
    rpc_.add("version", [](const boost::json::value&) -> ops::RpcResult {
        return boost::json::value{{"version", STEER_VERSION}};
    });
    add_ad_list_methods(
        rpc_, [this]() -> const Snapshot& { return *publisher_->current(); }, clock_);
    add_reverse_method(
        rpc_, [this]() -> const Snapshot& { return *publisher_->current(); }, clock_);
    if (cache_desk_) {
        add_cache_methods(rpc_, {*cache_desk_, *plane_->shared().cache, clock_, in_force_});
    } else {
        add_no_cache_methods(rpc_);
    }
    add_router_methods(rpc_, house_, routers_);
    why_->add_to(rpc_);
    hits_->add_to(rpc_, *plane_);
    rpc_.add_later("reload", [this](const boost::json::value&, const ops::RpcDone& done) {
        reload("steerctl", [done](const ReloadOutcome& outcome) { done(to_json(outcome)); });
    });
    make_rule_desk();
    make_lease_desk();
    rpc_.add("lists", [this](const boost::json::value&) -> ops::RpcResult {
        return fetcher_ ? fetcher_->status() : boost::json::value{{"lists", boost::json::array{}}};
    });
    rpc_.add_later("lists.fetch", [this](const boost::json::value&, const ops::RpcDone& done) {
        if (!fetcher_) return done(ops::RpcError{ops::RpcCode::internal_error, "not serving yet"});
        fetcher_->fetch_now([this, done] { done(fetcher_->status()); });
    });
    socket_ = std::make_unique<ops::ControlSocket>(house_, rpc_);
    if (auto done = socket_->listen(settings_.control.socket); !done) return done;
    if (const auto& http = settings_.control.http) {
        http_ = std::make_unique<ops::HttpServer>(
            house_,
            ops::HttpContent{.metrics = {[this](ops::MetricWriter& w) { write_metrics(w); }}});
        if (auto done = http_->listen(http->address, http->port); !done) {
            return Error{done.error().text, settings_.file, http->line};
        }
    }
    return {};
}

std::vector<std::string> Daemon::dump_folders() const {
    std::vector<std::string> folders;
    if (!cache_desk_) return folders;
    for (const CacheOf& one : cache_desk_->caches()) {
        if (!one.dump_file.empty())
            folders.push_back(std::filesystem::absolute(one.dump_file).parent_path().string());
    }
    return folders;
}

bool is_below_state_folder(const std::string& file) {
    return std::filesystem::path(file).parent_path() == kStateFolder;
}

// Folders that are handed over to whom we become, made if they are not there.
std::vector<std::string> Daemon::own_folders() const {
    std::vector<std::string> folders;
    std::error_code no_folder;  // then who writes there says so
    const auto dumps = dump_folders();
    if (std::find(dumps.begin(), dumps.end(), kStateFolder) != dumps.end()) {
        std::filesystem::create_directories(kStateFolder, no_folder);
        if (!no_folder) folders.emplace_back(kStateFolder);
    }
    if (std::filesystem::is_directory(settings_.control.images, no_folder))
        folders.push_back(settings_.control.images);
    if (!built_.leases.plugins.empty() && is_below_state_folder(settings_.control.leases))
        std::filesystem::create_directories(kStateFolder, no_folder);
    const bool keeps = is_below_state_folder(settings_.control.findings) ||
                       is_below_state_folder(settings_.control.leases);
    if (keeps && std::filesystem::is_directory(kStateFolder, no_folder))
        folders.emplace_back(kStateFolder);
    if (!settings_.remote_lists.empty()) {
        std::filesystem::create_directories(settings_.control.lists, no_folder);
        if (!no_folder) folders.push_back(settings_.control.lists);
    }
    return folders;
}

// Those that are not there, and their folders; what is handed over to whom we become.
std::vector<std::string> Daemon::make_rule_files() {
    std::vector<std::string> handed;
    for (const auto& rules : settings_.rule_files) {
        const auto folder = std::filesystem::absolute(rules.file).parent_path();
        std::error_code error;
        const bool ours = folder == kStateFolder || !std::filesystem::exists(folder, error);
        const auto made = rules::make_rule_file(rules);
        if (!made) spdlog::warn("{}", made.error().sentence());
        if (ours && std::filesystem::is_directory(folder, error)) handed.push_back(folder);
        if (made && *made) handed.push_back(rules.file);
    }
    return handed;
}

Result<void> Daemon::give_up_rights() {
    auto user = resolve_user(settings_.control.user);
    if (!user) return user.error();
    const auto folder = std::filesystem::path(settings_.control.socket).parent_path();
    std::vector<std::string> handed{settings_.control.socket,
                                    folder == "/run/steerdns" ? folder.string() : ""};
    const auto dumps = dump_folders();
    const auto folders = own_folders();
    handed.insert(handed.end(), folders.begin(), folders.end());
    const auto rule_files = make_rule_files();
    handed.insert(handed.end(), rule_files.begin(), rule_files.end());
    if (auto done = drop_rights(*user, handed); !done) return done;
    for (const auto& dump : dumps) {
        if (::access(dump.c_str(), W_OK) == 0) continue;
        spdlog::warn(
            "dump_file: {} is no folder that {} may write to: nothing will be kept over a restart; "
            "make it, "
            "or name another",
            dump, user->empty() ? "this user" : *user);
    }
    for (const auto& sentence : unreadable_certificates(settings_))
        spdlog::warn("{}", sentence);
    for (const auto& rules : settings_.rule_files) {
        if (const auto why = rules::why_not_writable(rules); !why.empty()) spdlog::warn("{}", why);
    }
    return {};
}

RouterFindings Daemon::router_findings() {
    const std::string file = settings_.control.findings;
    if (file.empty()) return RouterFindings{};
    auto known = load_findings(file);
    if (!known) spdlog::warn("{}", known.error().sentence());
    return RouterFindings(known ? *known : RouterFindings::ByVersion{},
                          [this, file](const std::string& text) {
                              boost::asio::post(house_, [file, text] {
                                  const auto saved = save_findings(file, text);
                                  if (!saved) spdlog::warn("{}", saved.error().sentence());
                              });
                          });
}

void Daemon::make_lease_desk() {
    leases_ = std::make_unique<leases::LeaseDesk>(house_, clock_, plane_->shared().qsbr,
                                                  settings_.control.leases, log_router);
    leases_->add_to(rpc_);
}

void Daemon::start_threads() {
    sets_ = std::make_unique<sets::SetThread>(
        clock_, *plane_->shared().lists,
        [this](std::vector<sets::SetThread::BoardRow> rows) { routers_->know(std::move(rows)); },
        log_set);
    routers_ = std::make_unique<RouterThread>(*plane_, clock_, built_.routers, log_router,
                                              sets_.get(), router_findings());
    sets_->configure(built_.kernel_sets);
    plane_->start();
    if (cache_desk_) cache_desk_->start();
    exceptions_->start();
    streams_->start();
    routers_->start();
}

void Daemon::say_what_is_served() {
    for (const auto& warning :
         eal_->huge_pages() ? std::vector<std::string>{} : std::vector{eal_->summary()}) {
        spdlog::info("memory: {}", warning);
    }
    std::string addresses;
    for (const auto& address : hops_->current()->service_addresses)
        addresses += " " + address.to_string();
    for (const auto& port : ports_->reports()) {
        spdlog::info("serving on {}{} by {} because {}{}", port.device, addresses, port.driver,
                     port.why, port.offers.empty() ? "" : " (" + port.offers + ")");
    }
}

void Daemon::run() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        spdlog::info("ending on {}", number == SIGTERM ? "SIGTERM" : "SIGINT");
        house_.stop();
    });
    await_hangup();
    watch_files();
    fetch_lists();
    begin_tasks();
    repeat_mdns(settings_);
    rules_->follow(settings_);
    leases_->follow(built_.leases);
    housekeeping();
    house_.run();
    stop();
}

void Daemon::housekeeping() {
    write_notes();
    take_raised();
    publisher_->poll(clock_.now());
    publish_candidate();
    forget_old_upstreams();
    hops_->poll();
    leases_->poll();
    for (const auto& sentence : ports_->follow_devices())
        spdlog::warn("{}", sentence);
    for (const auto& sentence : kernel_side_->follow_interfaces())
        spdlog::warn("{}", sentence);
    housekeeping_.expires_after(kHousekeepingEvery);
    housekeeping_.async_wait([this](const boost::system::error_code& error) {
        if (!error) housekeeping();
    });
}

void Daemon::write_notes() {
    Note note;
    for (unsigned w = 0; w < plane_->workers(); ++w) {
        while (plane_->notes(w).pop(&note, 1) == 1) {
            const Snapshot* const snapshot = publisher_->find(note.generation);
            const std::string title =
                snapshot != nullptr ? snapshot->texts[note.text] : std::string{};
            for (const auto& line : ops::note_lines(note, title))
                spdlog::info("{}", line);
        }
    }
}

// In the order that lets nobody talk to what is gone. Idempotent.
void Daemon::stop() {
    watch_.reset();
    tasks_.reset();
    mdns_.reset();
    rules_.reset();
    fetcher_.reset();
    reloader_.reset();
    candidate_.reset();
    if (socket_) socket_->close();
    if (http_) http_->close();
    hits_.reset();
    if (sets_) sets_->stop();
    if (routers_) routers_->stop(kCleanupPatienceMs);
    if (streams_) streams_->stop();
    if (cache_desk_) cache_desk_->stop();
    if (plane_) plane_->stop();
    if (cache_desk_ && is_serving_) cache_desk_->dump_at_end();
    is_serving_ = false;
    cache_desk_.reset();
    leases_.reset();
    if (exceptions_) exceptions_->stop();
    if (plane_ && publisher_) write_notes();
    watcher_.reset();
    kernel_side_.reset();
    routers_.reset();
    sets_.reset();
    streams_.reset();
    hops_.reset();
    publisher_.reset();
    plane_.reset();
    exceptions_.reset();
    reserved_.reset();
    ports_.reset();
}

}  // namespace steer

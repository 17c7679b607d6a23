#include "control/runtime/stream_threads.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "control/host/net/certificate_pem.h"
#include "control/host/net/tls_server.h"
#include "control/host/process/call_filters.h"
#include "control/host/process/child_program.h"
#include "control/host/resolver/interface_zone.h"
#include "control/streams/listen/quic_sockets.h"
#include "control/streams/listen/server_protocols.h"
#include "control/streams/quic/memory.h"
#include "control/streams/quic/program.h"
#include "control/streams/stream_thread.h"
#include "dataplane/port/eal.h"

namespace steer {

using stream::ListenAddress;
using stream::StreamThread;
using stream::Transport;

namespace {

stream::HttpSite site_of(const build::HttpSite& site) {
    return {site.paths, site.client_header, matchers::PrefixSet(site.trusted), site.alternative,
            site.frontends};
}

stream::TlsFiles files_of(const config::ServerTls& tls) {
    return {tls.cert, tls.key, tls.client_ca, tls.require_client_cert};
}

Result<std::shared_ptr<const stream::Service>> service_of(const build::StreamService& settings,
                                                          Clock& clock) {
    auto service = std::make_shared<stream::Service>();
    service->limits = settings.limits;
    service->frontend = settings.frontend;
    service->proxies = matchers::PrefixSet(settings.proxies);
    service->protocol = settings.protocol;
    service->http = site_of(settings.http);
    if (!settings.tls.cert.empty()) {
        service->tls =
            std::make_shared<stream::TlsServer>(stream::facts_of(settings.protocol).alpn(), clock);
        if (auto done = service->tls->load(files_of(settings.tls)); !done) return done.error();
    }
    return service;
}

// A server over QUIC: its certificate goes to steerdns-quic as text.
struct QuicServer {
    std::uint16_t number = 0;
    build::StreamService settings;
    stream::CertificateFacts facts;
};

Result<quic::ServiceSettings> settings_of(QuicServer& server) {
    const auto certificate = stream::read_certificate(files_of(server.settings.tls));
    if (!certificate) return certificate.error();
    const auto pem = stream::pem_of(*certificate);
    for (const std::string* const text : {&pem.chain, &pem.key, &pem.client_cas}) {
        if (text->size() > quic::kMaxPem)
            return Error{"'" + server.settings.tls.cert + "', its key or its 'client_ca' has " +
                         std::to_string(text->size()) + " bytes: a server over QUIC takes " +
                         std::to_string(quic::kMaxPem) +
                         "; remove certificates that no client needs"};
    }
    server.facts = certificate->facts;
    quic::ServiceSettings out;
    out.number = server.number;
    out.protocol = server.settings.protocol;
    out.http = {server.settings.http.paths, server.settings.http.client_header};
    out.limits = server.settings.limits;
    out.tls = {pem.chain,
               pem.key,
               pem.client_cas,
               server.settings.tls.require_client_cert,
               stream::facts_of(server.settings.protocol).alpn(),
               {},
               server.settings.tls.early_data};
    return out;
}

}  // namespace

struct StreamThreads::Impl {
    Impl(Clock& c, boost::asio::io_context& main, unsigned count,
         const std::optional<config::QuicSecretBytes>& quic_secret, const Log& l, std::uint64_t key)
        : io(main),
          clock(c),
          log(l),
          secret(key),
          quic_memory(quic::memory_of(read_memory_facts().total_bytes, count)),
          quic(
              main, count, quic_memory, quic_secret, [this] { return program.start(); },
              [this](std::vector<Descriptor> channels, const std::function<void()>& broken) {
                  for (std::size_t i = 0; i < threads.size(); ++i)
                      threads[i]->connect_quic(std::move(channels[i]), broken);
              },
              [this] {
                  for (auto& thread : threads)
                      thread->disconnect_quic();
              },
              l) {}
    ~Impl() { *alive = false; }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    struct Wanted {
        std::shared_ptr<const stream::Service> service;  // of TCP
        std::uint16_t quic = 0;                          // the number of a server over QUIC
        int line = 0;                                    // of the configuration
    };
    Result<void> add_quic(std::size_t index);
    [[nodiscard]] std::uint64_t quic_connections() const;  // that its servers may have, in all
    [[nodiscard]] Result<quic::ServiceSettings> settings_within_memory(QuicServer& server) const;
    // How thread `i` lets another one close a connection; empty: there is no other.
    [[nodiscard]] std::function<void()> room_from_others(std::size_t i, unsigned count);
    void close(const ListenAddress& where);
    [[nodiscard]] std::map<ListenAddress, Wanted> wanted(
        const std::vector<ServiceAddress>& service_addresses) const;
    Result<void> open(const ListenAddress& where, const Wanted& how);

    boost::asio::io_context& io;  // of the main thread
    // Ends with this object, for what waits there.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    Clock& clock;
    Log log;
    const std::uint64_t secret;  // of the keys of `limits:`
    const quic::Memory quic_memory;
    const std::shared_ptr<stream::ClientBudget> client_budget =
        std::make_shared<stream::ClientBudget>();
    std::vector<std::unique_ptr<StreamThread>> threads;
    std::vector<std::thread> running;

    std::mutex mutex;  // of what follows
    std::vector<build::Listener> listeners;
    std::vector<std::shared_ptr<const stream::Service>> services;  // over TCP, by listener
    std::map<std::size_t, QuicServer> quic_servers;                // by listener
    bool budgeted = false;
    std::set<ListenAddress> open_sockets;
    std::shared_ptr<const stream::UpstreamDirectory> upstreams =
        std::make_shared<stream::UpstreamDirectory>();
    ChildProgram program{quic::kProgramName, quic::kMaxMessage};
    QuicHost quic;
};

std::uint64_t StreamThreads::Impl::quic_connections() const {
    std::uint64_t sum = 0;
    for (const build::Listener& listener : listeners)
        sum += listener.quic ? listener.quic->limits.max_connections : 0;
    return sum;
}

// Servers over QUIC share the memory of one process: if it is too small for all their connections,
// each gets its part.
Result<quic::ServiceSettings> StreamThreads::Impl::settings_within_memory(
    QuicServer& server) const {
    auto settings = settings_of(server);
    if (settings) {
        settings->limits.max_connections = quic::part_of_connections(
            settings->limits.max_connections, quic_connections(), quic_memory.connections);
    }
    return settings;
}

// Reads its certificate.
Result<void> StreamThreads::Impl::add_quic(std::size_t index) {
    const build::Listener& listener = listeners[index];
    QuicServer server;
    server.number = static_cast<std::uint16_t>(quic_servers.size());
    server.settings = *listener.quic;
    auto settings = settings_within_memory(server);
    if (!settings) return Error{settings.error().text, {}, listener.endpoint.line};
    quic.set_service(std::move(*settings));
    quic_servers.emplace(index, std::move(server));
    return {};
}

// Every socket of the current listeners, once.
std::map<ListenAddress, StreamThreads::Impl::Wanted> StreamThreads::Impl::wanted(
    const std::vector<ServiceAddress>& service_addresses) const {
    std::map<ListenAddress, Wanted> all;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const auto& listener = listeners[i];
        const auto& endpoint = listener.endpoint;
        const bool is_one = !endpoint.any() && !endpoint.any_v4();
        const int zone =
            endpoint.zone.empty() ? 0 : static_cast<int>(resolver::interface_number(endpoint.zone));
        if (!endpoint.zone.empty() && zone == 0) {
            log("the listener " + endpoint.to_string() + " is not open: there is no interface '" +
                endpoint.zone + "'; it opens when the interface has its address");
            continue;
        }
        const auto is_it = [&](const ServiceAddress& address) {
            return address.ip == endpoint.address && (zone == 0 || address.scope == zone);
        };
        std::vector<ServiceAddress> addresses;
        for (const auto& address : service_addresses) {
            if (is_one ? is_it(address) : endpoint.any() || address.ip.is_v4())
                addresses.push_back(address);
        }
        if (is_one && addresses.empty()) addresses.push_back({endpoint.address, zone});
        const auto quic_server = quic_servers.find(i);
        const Wanted how{
            services[i],
            quic_server == quic_servers.end() ? std::uint16_t{0} : quic_server->second.number,
            endpoint.line};
        for (const auto& [ip, scope] : addresses) {
            if (listener.udp) all.try_emplace({Transport::udp, ip, endpoint.port, scope}, how);
            if (listener.tcp) all.try_emplace({Transport::tcp, ip, endpoint.port, scope}, how);
            if (listener.quic) all.try_emplace({Transport::doq, ip, endpoint.port, scope}, how);
        }
    }
    return all;
}

Result<void> StreamThreads::Impl::open(const ListenAddress& where, const Wanted& how) {
    const auto of_line = [&how](Error error) {
        error.line = how.line;
        return error;
    };
    if (where.transport == Transport::doq) {
        const auto opened = quic.add_sockets(how.quic, where, [&] {
            return stream::open_quic_sockets(where, static_cast<unsigned>(threads.size()));
        });
        if (!opened) return of_line(opened.error());
        open_sockets.insert(where);
        return {};
    }
    auto socket = stream::open_listen_socket(where);
    if (!socket) return of_line(socket.error());
    for (std::size_t i = 0; i < threads.size(); ++i) {
        const int own = i + 1 == threads.size() ? *socket : ::dup(*socket);
        if (own < 0) continue;
        if (where.transport == Transport::udp) {
            threads[i]->add_udp(where, own, budgeted);
        } else {
            threads[i]->add_tcp(where, own, how.service);
        }
    }
    open_sockets.insert(where);
    return {};
}

StreamThreads::StreamThreads(DataplaneRuntime& runtime, Clock& clock, boost::asio::io_context& io,
                             const std::optional<config::QuicSecretBytes>& quic, const Log& log)
    : impl_(std::make_unique<Impl>(clock, io, runtime.streams(), quic, log,
                                   runtime.shared().hasher->of_name({}).low)) {
    for (unsigned i = 0; i < runtime.streams(); ++i) {
        stream::StreamRings rings;
        for (unsigned worker = 0; worker < runtime.workers(); ++worker) {
            rings.to_worker.push_back(&runtime.stream_to_worker(i, worker));
            rings.from_worker.push_back(&runtime.worker_to_stream(worker, i));
        }
        rings.sleeper = &runtime.stream_sleeper(i);
        rings.qsbr = runtime.shared().qsbr;
        rings.reader = kFirstStreamReader + i;
        impl_->threads.push_back(
            std::make_unique<StreamThread>(i, std::move(rings), *runtime.shared().buffers, clock));
        impl_->threads.back()->report_addresses(
            [&hosts = runtime.needed_hosts()](const void* source,
                                              std::span<const IpAddress> addresses) {
                hosts.set(source, addresses);
            });
        impl_->threads.back()->share_clients(impl_->client_budget,
                                             impl_->room_from_others(i, runtime.streams()));
    }
}

StreamThreads::~StreamThreads() {
    stop();
}

std::function<void()> StreamThreads::Impl::room_from_others(std::size_t i, unsigned count) {
    if (count == 1) return {};
    return [this, i] {
        for (std::size_t other = 0; other < threads.size(); ++other)
            if (other != i) threads[other]->make_room_if_exceeded();
    };
}

void StreamThreads::limit_sockets(const stream::ClientLimits& clients,
                                  const stream::UpstreamSocketLimits& upstreams) {
    impl_->client_budget->set(clients);
    for (auto& thread : impl_->threads)
        thread->set_upstream_sockets(upstreams);
}

const stream::ClientBudget& StreamThreads::client_budget() const {
    return *impl_->client_budget;
}

Result<void> StreamThreads::listen(const std::vector<build::Listener>& listeners,
                                   const std::vector<ServiceAddress>& service_addresses,
                                   bool budgeted) {
    const std::lock_guard lock(impl_->mutex);
    impl_->listeners = listeners;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const auto& listener = listeners[i];
        auto& service = impl_->services.emplace_back();
        if (listener.quic) {
            if (auto done = impl_->add_quic(i); !done) return done;
        }
        if (!listener.tcp) continue;
        auto made = service_of(*listener.tcp, impl_->clock);
        if (!made) return Error{made.error().text, {}, listener.endpoint.line};
        service = std::move(*made);
    }
    impl_->budgeted = budgeted;
    if (const std::uint64_t sum = impl_->quic_connections(); sum > impl_->quic_memory.connections) {
        impl_->log("servers over QUIC have at most " +
                   std::to_string(impl_->quic_memory.connections) + " connections in all, not " +
                   std::to_string(sum) + ": steerdns-quic may use " +
                   std::to_string(impl_->quic_memory.bytes >> 20) +
                   " MiB; lower max_connections, or give the machine more memory");
    }
    std::vector<stream::QuicFrontend> over_quic;  // by number: listeners are numbered in order
    for (const auto& [listener, server] : impl_->quic_servers)
        over_quic.push_back(
            {server.settings.protocol, server.settings.frontend, site_of(server.settings.http)});
    for (auto& thread : impl_->threads)
        thread->set_quic(over_quic);
    for (const auto& [where, how] : impl_->wanted(service_addresses)) {
        if (impl_->open_sockets.contains(where)) continue;
        if (auto done = impl_->open(where, how); !done) return done;
    }
    return {};
}

std::vector<Error> StreamThreads::renew(const std::vector<build::Listener>& listeners) {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Error> wrong;
    for (auto& [i, server] : impl_->quic_servers) {
        for (const auto& now : listeners) {
            if (now.endpoint == impl_->listeners[i].endpoint && now.quic &&
                !now.quic->tls.cert.empty())
                server.settings.tls = now.quic->tls;
        }
        auto settings = impl_->settings_within_memory(server);
        if (settings) {
            impl_->quic.set_service(std::move(*settings));
        } else {
            wrong.push_back(Error{settings.error().text + "; the one before stays in use"});
        }
    }
    for (std::size_t i = 0; i < impl_->listeners.size(); ++i) {
        const auto& service = impl_->services[i];
        if (service == nullptr || service->tls == nullptr) continue;
        stream::TlsFiles files = service->tls->files();
        for (const auto& now : listeners) {
            if (now.endpoint == impl_->listeners[i].endpoint && now.tcp &&
                !now.tcp->tls.cert.empty())
                files = files_of(now.tcp->tls);
        }
        if (auto done = service->tls->load(files); !done)
            wrong.push_back(Error{done.error().text + "; the one before stays in use"});
    }
    return wrong;
}

std::vector<std::shared_ptr<stream::TicketServer>> StreamThreads::ticket_servers() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<std::shared_ptr<stream::TicketServer>> all;
    for (const auto& service : impl_->services) {
        if (service != nullptr && service->tls != nullptr) all.push_back(service->tls);
    }
    return all;
}

std::vector<stream::CertificateFacts> StreamThreads::certificates() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<stream::CertificateFacts> all;
    const auto add = [&all](stream::CertificateFacts facts) {
        const bool is_known = std::any_of(all.begin(), all.end(),
                                          [&](const auto& c) { return c.file == facts.file; });
        if (!is_known) all.push_back(std::move(facts));
    };
    for (const auto& service : impl_->services) {
        if (service != nullptr && service->tls != nullptr) add(service->tls->facts());
    }
    for (const auto& [i, server] : impl_->quic_servers)
        add(server.facts);
    return all;
}

void StreamThreads::set_service_addresses(const std::vector<ServiceAddress>& service_addresses) {
    const std::lock_guard lock(impl_->mutex);
    const auto wanted = impl_->wanted(service_addresses);
    std::erase_if(impl_->open_sockets, [&](const ListenAddress& where) {
        if (wanted.contains(where)) return false;
        impl_->close(where);
        return true;
    });
    for (const auto& [where, how] : wanted) {
        if (impl_->open_sockets.contains(where)) continue;
        if (auto done = impl_->open(where, how); !done) impl_->log(done.error().text);
    }
}

void StreamThreads::Impl::close(const ListenAddress& where) {
    if (where.transport == Transport::doq) return quic.remove_sockets(where);
    for (auto& thread : threads)
        thread->remove(where);
}

void StreamThreads::set_copying_interfaces(const std::vector<int>& if_indices) {
    for (auto& thread : impl_->threads)
        thread->set_copying(if_indices);
}

// State of an upstream survives a reload.
void StreamThreads::set_upstreams(const build::Channels& channels) {
    const std::lock_guard lock(impl_->mutex);
    auto directory = std::make_shared<stream::UpstreamDirectory>();
    for (const auto& target : channels) {
        const auto known = impl_->upstreams->find(target->id);
        if (known != impl_->upstreams->end()) {
            directory->insert(*known);
        } else {
            directory->try_emplace(
                target->id, stream::UpstreamEntry{target, std::make_shared<stream::UpstreamState>(
                                                              target->name, impl_->log)});
        }
    }
    impl_->upstreams = directory;
    for (auto& thread : impl_->threads)
        thread->set_upstreams(directory);
    const bool over_quic = std::ranges::any_of(
        channels, [](const auto& target) { return config::facts_of(target->scheme).is_over_quic; });
    boost::asio::post(impl_->io, [impl = impl_.get(), alive = impl_->alive, over_quic] {
        if (*alive) impl->quic.set_upstreams(over_quic);
    });
}

void StreamThreads::network_changed() {
    for (auto& thread : impl_->threads)
        thread->network_changed();
}

std::optional<stream::UpstreamReport> StreamThreads::upstream(std::uint16_t id) const {
    const std::lock_guard lock(impl_->mutex);
    const auto known = impl_->upstreams->find(id);
    if (known == impl_->upstreams->end()) return std::nullopt;
    return known->second.state->report();
}

void StreamThreads::set_notify(const stream::NotifyHandler& handler) {
    for (auto& thread : impl_->threads)
        thread->set_notify(handler);
}

void StreamThreads::set_vrfs(const std::map<IpAddress, int>& by_upstream) {
    for (auto& thread : impl_->threads)
        thread->set_vrfs(by_upstream);
}

void StreamThreads::set_limits(const std::shared_ptr<const LimitPolicy>& limits) {
    for (auto& thread : impl_->threads)
        thread->set_limits(limits, impl_->secret);
}

void StreamThreads::ask(stream::TracedQuestion question, stream::TracedAnswer done) {
    impl_->threads.front()->ask(std::move(question), std::move(done));
}

void StreamThreads::probe(stream::ProbeQuestion question, stream::ProbeReplied done) {
    impl_->threads.front()->probe(std::move(question), std::move(done));
}

void StreamThreads::start() {
    for (auto& thread : impl_->threads) {
        impl_->running.push_back(
            filtered_thread(ThreadKind::streams, [raw = thread.get()] { raw->run(); }));
        pthread_setname_np(impl_->running.back().native_handle(), "streams");
    }
    impl_->quic.start();
}

void StreamThreads::stop() {
    impl_->quic.stop();
    for (auto& thread : impl_->threads)
        thread->stop();
    for (auto& thread : impl_->running)
        thread.join();
    impl_->running.clear();
}

void StreamThreads::run_beside_engines(bool are_there) {
    const sched_param priority{};
    for (auto& thread : impl_->running)
        (void)::pthread_setschedparam(thread.native_handle(), are_there ? SCHED_BATCH : SCHED_OTHER,
                                      &priority);
}

unsigned StreamThreads::count() const {
    return static_cast<unsigned>(impl_->threads.size());
}
const StreamCounters& StreamThreads::counters(unsigned thread) const {
    return impl_->threads[thread]->counters();
}
void StreamThreads::set_draining(bool on) {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& service : impl_->services) {
        if (service != nullptr) service->draining->store(on, std::memory_order_relaxed);
    }
    impl_->quic.set_draining(on);
}
const QuicHost& StreamThreads::quic() const {
    return impl_->quic;
}
const stream::QuicLinkState& StreamThreads::quic(unsigned thread) const {
    return impl_->threads[thread]->quic();
}
const Heartbeat& StreamThreads::heartbeat(unsigned thread) const {
    return impl_->threads[thread]->heartbeat();
}
unsigned StreamThreads::connections() const {
    unsigned n = 0;
    for (const auto& thread : impl_->threads)
        n += thread->connections();
    return n;
}

std::map<std::string_view, unsigned> StreamThreads::connections_by_transport() const {
    const std::lock_guard lock(impl_->mutex);
    std::map<std::string_view, unsigned> all;
    for (const auto& service : impl_->services) {
        if (service == nullptr) continue;
        const auto& facts = stream::facts_of(service->protocol);
        all[facts.label(service->tls != nullptr)] += service->counts->in_all();
    }
    for (const auto& [i, server] : impl_->quic_servers) {
        const auto protocol = server.settings.protocol;
        unsigned& open = all[stream::facts_of(protocol).label(true)];
        if (open != 0) continue;  // another server of the protocol
        for (const auto& thread : impl_->threads)
            open += thread->quic().open(protocol);
    }
    return all;
}

}  // namespace steer

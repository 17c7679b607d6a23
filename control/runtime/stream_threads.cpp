#include "control/runtime/stream_threads.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "control/host/net/tls_server.h"
#include "control/host/process/call_filters.h"
#include "control/host/resolver/interface_zone.h"
#include "control/streams/listen/server_protocols.h"
#include "control/streams/stream_thread.h"

namespace steer {

using stream::ListenAddress;
using stream::StreamThread;
using stream::Transport;

namespace {

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
    service->http = {settings.http.paths, settings.http.client_header,
                     matchers::PrefixSet(settings.http.trusted), settings.http.frontends};
    if (!settings.tls.cert.empty()) {
        service->tls =
            std::make_shared<stream::TlsServer>(stream::facts_of(settings.protocol).alpn(), clock);
        if (auto done = service->tls->load(files_of(settings.tls)); !done) return done.error();
    }
    return service;
}

}  // namespace

struct StreamThreads::Impl {
    Impl(Clock& c, Log l, std::uint64_t key) : clock(c), log(std::move(l)), secret(key) {}

    struct Wanted {
        std::shared_ptr<const stream::Service> service;  // of TCP
        int line = 0;                                    // of the configuration
    };
    [[nodiscard]] std::map<ListenAddress, Wanted> wanted(
        const std::vector<ServiceAddress>& service_addresses) const;
    Result<void> open(const ListenAddress& where, const Wanted& how);

    Clock& clock;
    Log log;
    const std::uint64_t secret;  // of the keys of `limits:`
    std::vector<std::unique_ptr<StreamThread>> threads;
    std::vector<std::thread> running;

    std::mutex mutex;  // of what follows
    std::vector<build::Listener> listeners;
    std::vector<std::shared_ptr<const stream::Service>> services;  // over TCP, by listener
    bool budgeted = false;
    std::set<ListenAddress> open_sockets;
    std::shared_ptr<const stream::UpstreamDirectory> upstreams =
        std::make_shared<stream::UpstreamDirectory>();
};

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
        const Wanted how{services[i], endpoint.line};
        for (const auto& [ip, scope] : addresses) {
            if (listener.udp) all.try_emplace({Transport::udp, ip, endpoint.port, scope}, how);
            if (listener.tcp) all.try_emplace({Transport::tcp, ip, endpoint.port, scope}, how);
        }
    }
    return all;
}

Result<void> StreamThreads::Impl::open(const ListenAddress& where, const Wanted& how) {
    auto socket = stream::open_listen_socket(where);
    if (!socket) {
        Error error = socket.error();
        error.line = how.line;
        return error;
    }
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

StreamThreads::StreamThreads(DataplaneRuntime& runtime, Clock& clock, Log log)
    : impl_(
          std::make_unique<Impl>(clock, std::move(log), runtime.shared().hasher->of_name({}).low)) {
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
    }
}

StreamThreads::~StreamThreads() {
    stop();
}

Result<void> StreamThreads::listen(const std::vector<build::Listener>& listeners,
                                   const std::vector<ServiceAddress>& service_addresses,
                                   bool budgeted) {
    const std::lock_guard lock(impl_->mutex);
    impl_->listeners = listeners;
    for (const auto& listener : listeners) {
        auto& service = impl_->services.emplace_back();
        if (!listener.tcp) continue;
        auto made = service_of(*listener.tcp, impl_->clock);
        if (!made) return Error{made.error().text, {}, listener.endpoint.line};
        service = std::move(*made);
    }
    impl_->budgeted = budgeted;
    for (const auto& [where, how] : impl_->wanted(service_addresses)) {
        if (impl_->open_sockets.contains(where)) continue;
        if (auto done = impl_->open(where, how); !done) return done;
    }
    return {};
}

std::vector<Error> StreamThreads::renew(const std::vector<build::Listener>& listeners) {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Error> wrong;
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
    for (const auto& service : impl_->services) {
        if (service == nullptr || service->tls == nullptr) continue;
        auto facts = service->tls->facts();
        const bool is_known = std::any_of(all.begin(), all.end(),
                                          [&](const auto& c) { return c.file == facts.file; });
        if (!is_known) all.push_back(std::move(facts));
    }
    return all;
}

void StreamThreads::set_service_addresses(const std::vector<ServiceAddress>& service_addresses) {
    const std::lock_guard lock(impl_->mutex);
    const auto wanted = impl_->wanted(service_addresses);
    std::erase_if(impl_->open_sockets, [&](const ListenAddress& where) {
        if (wanted.contains(where)) return false;
        for (auto& thread : impl_->threads)
            thread->remove(where);
        return true;
    });
    for (const auto& [where, how] : wanted) {
        if (impl_->open_sockets.contains(where)) continue;
        if (auto done = impl_->open(where, how); !done) impl_->log(done.error().text);
    }
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
}

void StreamThreads::stop() {
    for (auto& thread : impl_->threads)
        thread->stop();
    for (auto& thread : impl_->running)
        thread.join();
    impl_->running.clear();
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
    return all;
}

}  // namespace steer

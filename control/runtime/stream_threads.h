// The threads `streams`: all DNS over kernel sockets. They have the listeners for TCP (RFC 7766)
// and for UDP that arrives through the kernel, and the upstreams that are queried by kernel
// sockets. They make no decision about a query: they pass each query to a worker, and get its
// answer (docs/explanation/architecture.md).
//
// Each thread has one io_context, its own rings with every worker, and a copy of every listening
// socket's descriptor. The thread that accepts a client keeps it. If the ring to a worker is full,
// the query is dropped and counted.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/net/ticket_server.h"
#include "control/host/net/tls_certificate.h"
#include "control/host/process/heartbeat.h"
#include "control/program/build/build.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/quic_host.h"
#include "control/streams/base/client_budget.h"
#include "control/streams/base/notify_handler.h"
#include "control/streams/base/probe_question.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/base/stream_counters.h"
#include "control/streams/base/traced_question.h"
#include "control/streams/listen/quic_link.h"
#include "control/streams/upstream/upstream_state.h"
#include "dataplane/base/clock.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer {

// An address that receives queries.
struct ServiceAddress {
    IpAddress ip;
    int scope = 0;  // of a link-local address: the interface, if known
    auto operator<=>(const ServiceAddress&) const = default;
};

class StreamThreads {
  public:
    using Log = std::function<void(const std::string& sentence)>;  // called from any thread

    // Starts as many threads as the runtime has rings for. `runtime` and `clock` must outlive them.
    // `io`: of the main thread, which follows the process steerdns-quic. `quic`: its secret.
    StreamThreads(DataplaneRuntime& runtime, Clock& clock, boost::asio::io_context& io,
                  const std::optional<config::QuicSecretBytes>& quic, const Log& log);
    ~StreamThreads();
    StreamThreads(const StreamThreads&) = delete;
    StreamThreads& operator=(const StreamThreads&) = delete;

    // Reads certificates and binds the addresses of `listeners`. A specific address is bound
    // unchanged. :: and 0.0.0.0 bind every service address (of IPv4). A link-local address is bound
    // on every interface that has it, or on that of its zone; if that interface is missing, nothing
    // is opened, and the log says so. All or nothing: the Error names the address and, if visible,
    // its present owner. `budgeted`: limits UDP per source here, because the usual path is a port.
    // Call it once, before start().
    Result<void> listen(const std::vector<build::Listener>& listeners,
                        const std::vector<ServiceAddress>& service_addresses, bool budgeted);
    // Loads the present certificates from the files: those that `listeners` name, else those that
    // were named before. Returns the errors; then the old certificates stay. Blocks while it reads
    // files.
    std::vector<Error> renew(const std::vector<build::Listener>& listeners);
    // The present ones. Any thread.
    [[nodiscard]] std::vector<stream::CertificateFacts> certificates() const;
    // Servers over TLS; they live as long as this object. Call it after listen().
    [[nodiscard]] std::vector<std::shared_ptr<stream::TicketServer>> ticket_servers() const;
    // Addresses were added or removed: listeners on all addresses follow. Errors of binding are
    // logged; the next call tries again. Main thread.
    void set_service_addresses(const std::vector<ServiceAddress>& service_addresses);
    // Interfaces with a copying port, sorted: the port answers plain datagrams that arrive there.
    // Any thread.
    void set_copying_interfaces(const std::vector<int>& if_indices);

    // Limits of connections of clients, and of sockets to upstreams (connection_plan.h). Any thread.
    void limit_sockets(const stream::ClientLimits& clients,
                       const stream::UpstreamSocketLimits& upstreams);
    // What connections of clients take now.
    [[nodiscard]] const stream::ClientBudget& client_budget() const;

    // Sets the upstreams that `streams` queries, by id; closes removed ones. Call it before workers
    // know them. Any thread.
    void set_upstreams(const build::Channels& channels);
    // Addresses or routes of this machine changed: connections without a valid source address are
    // opened again. Any thread.
    void network_changed();
    // The state of such an upstream. No value: unknown id.
    [[nodiscard]] std::optional<stream::UpstreamReport> upstream(std::uint16_t id) const;

    // Handles each NOTIFY (StreamContext::on_notify). Any thread; called on any streams thread.
    void set_notify(const stream::NotifyHandler& handler);

    // Upstreams behind a VRF, with its index: sockets to them are bound to it. Any thread.
    void set_vrfs(const std::map<IpAddress, int>& by_upstream);

    // The rows of `limits:`; nullptr: none. Any thread.
    void set_limits(const std::shared_ptr<const LimitPolicy>& limits);

    // Sends a query to a worker as a client would, from the first thread. `done` is called on that
    // thread, never after stop().
    void ask(stream::TracedQuestion question, stream::TracedAnswer done);

    // Sends a query to an upstream by its own transport, from the first thread. `done` is called on
    // that thread with a reply.
    void probe(stream::ProbeQuestion question, stream::ProbeReplied done);

    // Also starts steerdns-quic, if a server needs it. Main thread.
    void start();
    void stop();  // may be repeated; closes open connections
    // Whether engines of `recursion` have the same CPUs. Then a message waits for the end of the
    // time slice of any other thread there (SCHED_BATCH, sched(7)), and all that arrived by then are
    // handled together. Between start() and stop(). Main thread.
    void run_beside_engines(bool are_there);

    [[nodiscard]] unsigned count() const;
    [[nodiscard]] const StreamCounters& counters(unsigned thread) const;
    // Whether clients are asked to open another connection. Main thread.
    void set_draining(bool on);
    // The process steerdns-quic. Main thread.
    [[nodiscard]] const QuicHost& quic() const;
    [[nodiscard]] const stream::QuicLinkState& quic(unsigned thread) const;
    [[nodiscard]] const Heartbeat& heartbeat(unsigned thread) const;
    [[nodiscard]] unsigned connections() const;  // open TCP connections of clients, all threads
    // The same by transport: "tcp", "dot", "http", "doh"; only transports with a server. Any
    // thread.
    [[nodiscard]] std::map<std::string_view, unsigned> connections_by_transport() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer

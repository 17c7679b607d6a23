// The threads `streams`: all DNS over kernel sockets. Listeners for TCP (RFC
// 7766) and for UDP that arrives through the kernel, and upstreams that are asked by kernel
// socket. No decision about a query is made here: each query is handed to a worker, and its answer
// returns (docs/explanation/architecture.md).
//
// Each thread has one io_context, its own rings with every worker, and a copy of every listening
// socket's descriptor; the thread that accepts a client keeps it. A full ring to a worker loses the
// query and counts it.
#pragma once

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
#include "control/streams/base/notify_handler.h"
#include "control/streams/base/probe_question.h"
#include "control/streams/base/stream_counters.h"
#include "control/streams/base/traced_question.h"
#include "control/streams/upstream/upstream_state.h"
#include "dataplane/base/clock.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer {

// An address that queries come to.
struct ServiceAddress {
    IpAddress ip;
    int scope = 0;  // of a link-local address: the interface, if that is known
    auto operator<=>(const ServiceAddress&) const = default;
};

class StreamThreads {
  public:
    using Log = std::function<void(const std::string& sentence)>;  // called from any thread

    // As many threads as the runtime has rings for. `runtime` and `clock` outlive them.
    StreamThreads(DataplaneRuntime& runtime, Clock& clock, Log log);
    ~StreamThreads();
    StreamThreads(const StreamThreads&) = delete;
    StreamThreads& operator=(const StreamThreads&) = delete;

    // Reads certificates and binds the addresses of `listeners`: a specific address as it is; :: and 0.0.0.0 every service
    // address (of IPv4); a link-local one on every interface that has it, or on that of its zone. Without that interface
    // nothing is opened, and the log says so. All or nothing; the Error names the address and, if
    // visible, its present owner. `budgeted`: UDP here is limited per source, because the usual path is a
    // port of frames. Once, before start().
    Result<void> listen(const std::vector<build::Listener>& listeners,
                        const std::vector<ServiceAddress>& service_addresses, bool budgeted);
    // Loads the files' present certificates: those that `listeners` name, else those that
    // were named before. Returns the errors; then the old certificates stay. Blocks while it reads
    // files.
    std::vector<Error> renew(const std::vector<build::Listener>& listeners);
    // Those in force. Any thread.
    [[nodiscard]] std::vector<stream::CertificateFacts> certificates() const;
    // Servers over TLS; they live as long as this. After listen().
    [[nodiscard]] std::vector<std::shared_ptr<stream::TicketServer>> ticket_servers() const;
    // Addresses were added or removed: listeners on all addresses follow. Errors of binding are logged,
    // and tried again at the next call. Any thread.
    void set_service_addresses(const std::vector<ServiceAddress>& service_addresses);
    // Interfaces with a copying port, sorted: the port answers plain datagrams that arrive
    // there. Any thread.
    void set_copying_interfaces(const std::vector<int>& if_indices);

    // Upstreams that `streams` asks, by id; removed ones
    // are closed. Before workers know them. Any thread.
    void set_upstreams(const build::Channels& channels);
    // Addresses or routes of this machine changed: connections without a valid source address are opened again.
    // Any thread.
    void network_changed();
    // The state of such an upstream; no value: unknown id.
    [[nodiscard]] std::optional<stream::UpstreamReport> upstream(std::uint16_t id) const;

    // Handles each NOTIFY (StreamContext::on_notify). Any thread; called on any streams thread.
    void set_notify(const stream::NotifyHandler& handler);

    // Upstreams behind a VRF, with its index: sockets that ask them are bound to it. Any thread.
    void set_vrfs(const std::map<IpAddress, int>& by_upstream);

    // Asks a worker as a client would, from the first thread. `done` is called on that thread; not any more after stop().
    void ask(stream::TracedQuestion question, stream::TracedAnswer done);

    // Asks an upstream by its own transport, from the first thread. `done` is called on that thread with a reply.
    void probe(stream::ProbeQuestion question, stream::ProbeReplied done);

    void start();
    void stop();  // idempotent; open connections are closed

    [[nodiscard]] unsigned count() const;
    [[nodiscard]] const StreamCounters& counters(unsigned thread) const;
    // Whether clients are asked to open another connection. Any thread.
    void set_draining(bool on);
    [[nodiscard]] const Heartbeat& heartbeat(unsigned thread) const;
    [[nodiscard]] unsigned connections() const;  // open TCP connections of clients, all threads
    // The same by transport: "tcp", "dot", "http", "doh"; only transports that are served. Any thread.
    [[nodiscard]] std::map<std::string_view, unsigned> connections_by_transport() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer

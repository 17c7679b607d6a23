// The threads `streams`: everything of DNS that goes through kernel sockets. Listeners for TCP (RFC
// 7766) and for what reaches us over UDP through the kernel, and upstreams that are asked by kernel
// socket. No decision about a query is made here: each is handed to a worker and its answer comes
// back (docs/explanation/architecture.md section 2).
//
// Each thread has one io_context, its own rings with every worker, and a copy of every listening
// socket's descriptor; whichever takes a client keeps it. A full ring towards a worker loses the
// query and counts it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/build/build.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/stream/base/stream_counters.h"
#include "control/stream/tls/tls_certificate.h"
#include "control/stream/upstream/upstream_state.h"
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

    // Reads certificates and binds what `listeners` want: a specific address just that, :: and 0.0.0.0 every service
    // address (of IPv4); a link-local one on every interface that has it. All or nothing; the Error names the address, and who has it if that can be
    // seen. `budgeted`: UDP that comes this way is limited per source, because the usual way is a
    // port of frames. Once, before start().
    Result<void> listen(const std::vector<build::Listener>& listeners,
                        const std::vector<ServiceAddress>& service_addresses, bool budgeted);
    // Takes up the certificates that files have now: those that `listeners` name, else those that
    // were named before. What is wrong with them is returned; then the ones before stay. Blocks for
    // as long as the files take.
    std::vector<Error> renew(const std::vector<build::Listener>& listeners);
    // Those in force. Any thread.
    [[nodiscard]] std::vector<stream::CertificateFacts> certificates() const;
    // Addresses came or went: listeners on all addresses follow. What cannot be bound is logged,
    // and tried again at the next call. Any thread.
    void set_service_addresses(const std::vector<ServiceAddress>& service_addresses);
    // Interfaces with a copying port, sorted: plain datagrams that came in by one of them are the port's
    // to answer. Any thread.
    void set_copying_interfaces(const std::vector<int>& if_indices);

    // Upstreams that are asked in their own way, by id; those that were there before and are missing
    // are closed. Before workers know of them. Any thread.
    void set_upstreams(const build::Channels& channels);
    // Addresses or routes of this machine changed: connections that have lost theirs are made anew.
    // Any thread.
    void network_changed();
    // How such an upstream does; nothing: there is none with this id.
    [[nodiscard]] std::optional<stream::UpstreamReport> upstream(std::uint16_t id) const;

    // Upstreams behind a VRF, with its index: sockets that ask them are bound to it. Any thread.
    void set_vrfs(const std::map<IpAddress, int>& by_upstream);

    void start();
    void stop();  // idempotent; open connections are closed

    [[nodiscard]] unsigned count() const;
    [[nodiscard]] const StreamCounters& counters(unsigned thread) const;
    [[nodiscard]] unsigned connections() const;  // open TCP connections of clients, all threads

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer

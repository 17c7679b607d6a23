// The interface between the pool of an upstream's connections (upstream_pool.h) and a protocol. To
// connect returns a session (upstream_session.h) or an error. The session has queries and answers.
//
// The layers above do not depend on a protocol. An ask is identified by its `done`, not by a DNS
// id. A session writes the id that its protocol needs (0 over HTTP and QUIC), and restores the
// caller's id in the reply. Replies arrive in any order. room() is the number of queries that a
// session accepts, 0 after its server's GOAWAY. So protocols with a stream per query (RFC 9250) and
// protocols with ids on one byte stream both fit.
//
// One thread. Attempts and sessions may outlive the transport that created them.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/host/net/tls_certificate.h"
#include "control/streams/upstream/upstream_session.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::stream {

// The destination of an attempt.
struct ConnectPath {
    IpAddress address;  // the upstream's, or its proxy's
    std::uint16_t port = 0;
    std::optional<IpAddress> behind;  // the upstream's address for the proxy; no value: its name
    bool operator==(const ConnectPath&) const = default;
};

// An errno that sockets never return: the proxy refuses the upstream, the user or the password. The
// forwarder ends the query (kUpstreamProxyRefuses).
inline constexpr int kProxyRefuses = EREMOTEIO;

// The end of an attempt.
struct Connected {
    std::shared_ptr<UpstreamSession> session;  // ready; nullptr: there is none
    int error =
        0;  // errno, if there is none; EKEYREJECTED: the certificate is not trusted; kProxyRefuses
    std::string why;               // for people: "connecting to 192.0.2.1:853 failed: ..."
    IpAddress local;               // our address
    CertificateFacts certificate;  // of the server; ends_s is 0 without one
};

class ConnectAttempt {
  public:
    virtual ~ConnectAttempt() = default;
    // Cancels it; `done` is not called. May be called again.
    virtual void cancel() = 0;
    // Our address, as soon as it is known, even before the connection is ready.
    [[nodiscard]] virtual std::optional<IpAddress> local() = 0;
    // What it waits for on this machine, for messages; empty: for the upstream.
    [[nodiscard]] virtual std::string waits_for() const { return {}; }
};

class UpstreamTransport {
  public:
    using Done = std::function<void(Connected)>;

    virtual ~UpstreamTransport() = default;

    // Whether the next session carries several queries at once. Then one more session is enough for
    // all waiting queries.
    [[nodiscard]] virtual bool is_multiplexed() const = 0;
    // Ends with `done`, once, from the io_context and never from within this call; or by cancel().
    // It has no timeout: the caller cancels it. `watcher` must outlive the attempt and the session.
    // Error: no path can be tried (a file of authorities that cannot be read).
    virtual Result<std::shared_ptr<ConnectAttempt>> connect(const ConnectPath& path,
                                                            SessionWatcher& watcher, Done done) = 0;
};

}  // namespace steer::stream

// The interface between the pool of an upstream's connections (upstream_pool.h) and a protocol: connecting, which returns a
// session (upstream_session.h) or an error, and queries and answers on the session.
//
// The layers above do not depend on a protocol. An ask is identified by its `done`, not by a DNS id: a session writes the id
// that its protocol needs (0 over HTTP and QUIC) and restores the asker's in the reply. Replies come in any order. room() is
// the number of queries that a session accepts, 0 after its server's GOAWAY. So a protocol with a stream per query (RFC
// 9250) fits as well as one with ids on a single byte stream.
//
// One thread. Attempts and sessions may outlive the transport that made them.
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

// An errno of no socket: the proxy refuses the upstream, the user or the password. The forwarder ends the query
// (kUpstreamProxyRefuses).
inline constexpr int kProxyRefuses = EREMOTEIO;

// The end of an attempt.
struct Connected {
    std::shared_ptr<UpstreamSession> session;  // ready; nullptr: there is none
    int error =
        0;  // errno, if there is none; EKEYREJECTED: the certificate is not trusted; kProxyRefuses
    std::string why;               // for people: "connecting to 192.0.2.1:853 failed: ..."
    IpAddress local;               // our address
    CertificateFacts certificate;  // of the server; ends_s is 0 if it showed none
};

class ConnectAttempt {
  public:
    virtual ~ConnectAttempt() = default;
    // Its `done` is not called any more. Idempotent.
    virtual void cancel() = 0;
    // Our address, as soon as it is known, also while connecting.
    [[nodiscard]] virtual std::optional<IpAddress> local() = 0;
};

class UpstreamTransport {
  public:
    using Done = std::function<void(Connected)>;

    virtual ~UpstreamTransport() = default;

    // Whether the next session carries several queries at once: while some wait, one more session is enough.
    [[nodiscard]] virtual bool is_multiplexed() const = 0;
    // Ends with `done`, once, from the io_context and never from within; or by cancel(). It has no timeout of its own: the
    // caller cancels it. `watcher` outlives the attempt and the session. Error: it cannot be tried on any path
    // (a file of authorities that cannot be read).
    virtual Result<std::shared_ptr<ConnectAttempt>> connect(const ConnectPath& path,
                                                            SessionWatcher& watcher, Done done) = 0;
};

}  // namespace steer::stream

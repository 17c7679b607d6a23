// The seam between the pool of an upstream's connections (upstream_pool.h) and a protocol: connect, which gives a
// session (upstream_session.h) or an error; on the session queries and answers.
//
// Nothing above this knows a protocol. An ask is named by its `done`, not by an id of DNS: a session writes whatever id its
// protocol wants (0 over HTTP and QUIC) and restores the asker's in the reply. Replies come in any order. What a session
// can take, and that its server goes away, is its room(). So a protocol with a stream for each query (RFC 9250) fits as
// one with ids on a single byte stream does.
//
// One thread. Attempts and sessions may outlive the transport that made them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/stream/tls/tls_certificate.h"
#include "control/stream/upstream/upstream_session.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::stream {

// Where an attempt goes.
struct ConnectPath {
    IpAddress address;  // the upstream's, or its proxy's
    std::uint16_t port = 0;
    std::optional<IpAddress> behind;  // the upstream's that the proxy is told; nothing: its name
};

// How an attempt ended.
struct Connected {
    std::shared_ptr<UpstreamSession> session;  // ready; nullptr: there is none
    int error = 0;    // errno, if there is none; EKEYREJECTED: the certificate is not trusted
    std::string why;  // for people: "connecting to 192.0.2.1:853 failed: ..."
    IpAddress local;  // our address
    CertificateFacts certificate;  // of the server; ends_s is 0 if it showed none
};

class ConnectAttempt {
  public:
    virtual ~ConnectAttempt() = default;
    // Its `done` is not called any more. Idempotent.
    virtual void cancel() = 0;
    // Our address, as soon as there is one; while it is connecting, too.
    [[nodiscard]] virtual std::optional<IpAddress> local() = 0;
};

class UpstreamTransport {
  public:
    using Done = std::function<void(Connected)>;

    virtual ~UpstreamTransport() = default;

    // Several queries go side by side on one session: while some wait, one more is enough.
    [[nodiscard]] virtual bool is_multiplexed() const = 0;
    // Ends by `done`, once, from the io_context and never from within; or by cancel(). It has no patience of its own: the
    // caller gives it up. `watcher` outlives the attempt and the session. Error: it cannot be tried, whatever the path
    // (a file of authorities that cannot be read).
    virtual Result<std::shared_ptr<ConnectAttempt>> connect(const ConnectPath& path,
                                                            SessionWatcher& watcher, Done done) = 0;
};

}  // namespace steer::stream

// One ready connection to an upstream that takes queries: DNS over TCP or TLS (dns_session.h), HTTP
// (http_upstream.h). A pool (upstream_pool.h) owns its sessions, chooses one for each query, and
// closes idle or silent ones.
//
// Guarantee: every ask ends exactly once, with its `done`: a reply, or the reason why there is
// none. One thread. `done` and the watcher are called from the io_context or from expire(), never
// from within ask() or close(). They may call ask() and close(). The watcher must outlive a session
// that was not closed.
//
// A function of each protocol creates it from a ready connection (TLS is done, ALPN chose the
// protocol): make_X_session(StreamContext&, ByteStream, const UpstreamTarget&, SessionWatcher&).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "control/streams/base/retry.h"

namespace steer::stream {

// The end of an ask.
struct SessionReply {
    // A DNS response to the query (checked with is_reply_to()), with its id; valid during the call.
    // Empty: none.
    std::span<const std::uint8_t> message;
    // errno, if there is none: ETIMEDOUT (its deadline), ECONNRESET (the connection ended), EPROTO
    // (not DNS, or an HTTP error).
    int error = 0;
    Retry retry = Retry::never;
    // With an error: the upstream must get no queries for this time (HTTP's Retry-After); 0: not
    // sent.
    std::uint32_t retry_after_s = 0;
};

class UpstreamSession;

class SessionWatcher {
  public:
    virtual ~SessionWatcher() = default;
    // room() may have grown.
    virtual void on_room(UpstreamSession& session) = 0;
    // The session takes no more queries; its asks have ended. Called once; not because of close().
    // `why`: for messages, "" if the upstream closed an idle connection normally.
    virtual void on_ended(UpstreamSession& session, const std::string& why) = 0;
};

class UpstreamSession {
  public:
    using Done = std::function<void(const SessionReply&)>;

    virtual ~UpstreamSession() = default;

    // `query`: a DNS message with one question, copied. Only if room() > 0.
    virtual void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) = 0;
    // The number of further asks that are possible now; 0 after its end.
    [[nodiscard]] virtual unsigned room() const = 0;
    // Asks that have not ended; without the one whose `done` runs.
    [[nodiscard]] virtual unsigned in_progress() const = 0;
    // No further ask is possible, ever: the upstream leaves (GOAWAY), or the connection has ended.
    [[nodiscard]] virtual bool is_leaving() const = 0;
    // The most asks at a time, as the upstream announced on this connection; no value: it has
    // announced nothing.
    [[nodiscard]] virtual std::optional<unsigned> announced_limit() const { return std::nullopt; }
    // Since when a reply is due without a byte from the upstream; UINT64_MAX: none is due. Only a
    // byte ends such a silence, not a passed deadline.
    [[nodiscard]] virtual std::uint64_t silent_since_ms() const = 0;

    // Ends asks past their deadline with ETIMEDOUT. Call it several times a second while it is in
    // use.
    virtual void expire(std::uint64_t now_ms) = 0;
    // Closes the connection; asks in progress end with ECONNRESET, from the io_context. May be
    // called again.
    virtual void close() = 0;
};

}  // namespace steer::stream

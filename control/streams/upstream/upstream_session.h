// One ready connection to an upstream that takes queries: DNS over TCP or TLS
// (dns_session.h), HTTP (http_upstream.h). A pool (upstream_pool.h) owns its sessions, chooses one for each query,
// and closes idle or silent ones.
//
// Guarantee: every ask ends exactly once, with its `done`: a reply, or the reason for its absence.
// One thread. `done` and the watcher are called from the io_context or from expire(), never from
// within ask() or close(); ask() and close() may be called from within them. The watcher outlives a
// session that was not closed.
//
// Created from a ready connection (TLS is done, ALPN chose the protocol), by a function of each
// protocol: make_X_session(StreamContext&, ByteStream, const UpstreamTarget&, SessionWatcher&).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace steer::stream {

// The end of an ask.
struct SessionReply {
    // A DNS response to the query that was asked (checked with is_reply_to()), with its id; valid
    // during the call. Empty: none.
    std::span<const std::uint8_t> message;
    // errno, if there is none: ETIMEDOUT (its deadline), ECONNRESET (the connection ended), EPROTO
    // (not DNS, or an HTTP error).
    int error = 0;
    // It may be asked again on another connection, because this one ended before the upstream
    // answered (RFC 7766 6.2.4; GOAWAY, REFUSED_STREAM).
    bool again = false;
    // With an error: it must not be asked for this time (HTTP's Retry-After); 0: not said.
    std::uint32_t retry_after_s = 0;
};

class UpstreamSession;

class SessionWatcher {
  public:
    virtual ~SessionWatcher() = default;
    // room() may have grown.
    virtual void on_room(UpstreamSession& session) = 0;
    // It accepts no more; its asks have ended. Once; not because of close(). `why`: for messages, "" if
    // the upstream closed an idle connection normally.
    virtual void on_ended(UpstreamSession& session, const std::string& why) = 0;
};

class UpstreamSession {
  public:
    using Done = std::function<void(const SessionReply&)>;

    virtual ~UpstreamSession() = default;

    // `query`: a DNS message with one question, copied. Only if room() > 0.
    virtual void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) = 0;
    // The number of further asks that are possible now; 0 once it has ended.
    [[nodiscard]] virtual unsigned room() const = 0;
    [[nodiscard]] virtual unsigned in_progress() const = 0;
    // Since when a reply is due without a byte from the upstream; UINT64_MAX: none is due.
    // A passed deadline does not end such a silence, a byte does.
    [[nodiscard]] virtual std::uint64_t silent_since_ms() const = 0;

    // Ends asks past their deadline with ETIMEDOUT. Several times a second while it is in use.
    virtual void expire(std::uint64_t now_ms) = 0;
    // Closes the connection; asks in progress end with ECONNRESET, from the io_context. Idempotent.
    virtual void close() = 0;
};

}  // namespace steer::stream

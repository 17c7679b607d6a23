// A session that identifies its queries by DNS id: the common part of DNS over a stream
// (dns_session.h) and datagrams through a proxy (relayed_session.h). Each query gets its own random
// id. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/pending_asks.h"
#include "control/streams/upstream/upstream_session.h"

namespace steer::stream {

class IdSession : public UpstreamSession {
  public:
    [[nodiscard]] unsigned room() const final { return ended_ ? 0 : most_ - in_progress(); }
    [[nodiscard]] unsigned in_progress() const final {
        return static_cast<unsigned>(pending_.size());
    }
    [[nodiscard]] bool is_leaving() const final { return ended_; }
    [[nodiscard]] std::uint64_t silent_since_ms() const final { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

  protected:
    // `most`: maximum queries at a time.
    IdSession(StreamContext& context, SessionWatcher& watcher, unsigned most)
        : context_(context), watcher_(watcher), most_(most) {}

    // Closes the sockets.
    virtual void disconnect() = 0;

    // Returns the query in the form to send, with its id; valid until the next call. `ends_at`: of
    // PendingAsk.
    std::span<const std::uint8_t> add(std::span<const std::uint8_t> query,
                                      std::uint64_t deadline_ms, Done done, std::uint64_t ends_at);
    // Ends the query that this message answers. Returns false if it answers none.
    bool take_reply(std::span<std::uint8_t> message);
    // Call it when the connection has ended.
    void end(const std::string& why);
    // Call it when a byte has arrived.
    void end_silence() { silent_since_ms_ = pending_.empty() ? UINT64_MAX : context_.now_ms(); }
    [[nodiscard]] bool has_ended() const { return ended_; }

    StreamContext& context_;
    SessionWatcher& watcher_;
    std::uint64_t written_ = 0;  // bytes that were sent

  private:
    void stop();

    const unsigned most_;
    PendingAsks pending_;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool ended_ = false;
};

}  // namespace steer::stream

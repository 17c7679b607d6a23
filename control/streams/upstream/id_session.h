// A session that tells its queries apart by their DNS id: what DNS over a stream (dns_session.h) and datagrams through a
// proxy (relayed_session.h) have in common. Each query gets a random id of its own. One thread.
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
    [[nodiscard]] std::uint64_t silent_since_ms() const final { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

  protected:
    // `most`: queries at one time.
    IdSession(StreamContext& context, SessionWatcher& watcher, unsigned most)
        : context_(context), watcher_(watcher), most_(most) {}

    // Closes the sockets.
    virtual void disconnect() = 0;

    // The query as it is sent, with its id; valid until the next call.
    std::span<const std::uint8_t> add(std::span<const std::uint8_t> query,
                                      std::uint64_t deadline_ms, Done done);
    // Ends the query that this message replies to. False: it is a reply to none.
    bool take_reply(std::span<std::uint8_t> message);
    // The connection is over.
    void end(const std::string& why);
    // A byte came.
    void end_silence() { silent_since_ms_ = pending_.empty() ? UINT64_MAX : context_.now_ms(); }
    [[nodiscard]] bool has_ended() const { return ended_; }

    StreamContext& context_;
    SessionWatcher& watcher_;

  private:
    void stop();

    const unsigned most_;
    PendingAsks pending_;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool ended_ = false;
};

}  // namespace steer::stream

// The queries on a connection to an upstream: DNS over QUIC (doq_client.h) or over
// HTTP/3 (http3_client.h).
//
// Each ask ends once, with a call of its taker; or with cancel(), and then without one. An ask is
// known by its number, which the daemon chose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "control/streams/quic/application.h"
#include "control/streams/quic/upstream_facts.h"

namespace steer::quic {

class ReplyTaker {
  public:
    // `message` is empty unless it was answered. Valid during the call.
    virtual void take_reply(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                            const AnswerFacts& facts) = 0;
    // The upstream asks for no further queries on this connection.
    virtual void takes_no_more() = 0;

  protected:
    ~ReplyTaker() = default;
};

class ClientControl : public StreamControl {
  public:
    // A bidirectional one. No value: the upstream allows none now.
    virtual std::optional<StreamId> open_stream() = 0;

  protected:
    ~ClientControl() = default;
};

class QueryClient : public Application {
  public:
    // `message`: a DNS query, whose id is 0 on the wire.
    virtual void ask(std::uint64_t ask, std::span<const std::uint8_t> message) = 0;
    virtual void cancel(std::uint64_t ask) = 0;
    // The connection has ended: asks in progress may be sent on another one. `was_refused`: the
    // upstream did not accept early data, so it has processed nothing.
    void end(bool was_refused);
    // Asks so far.
    [[nodiscard]] std::uint64_t asked() const { return asked_; }
    // Streams of asks that have ended here, and that the upstream has not ended.
    [[nodiscard]] std::size_t stale() const { return open_ - by_ask_.size(); }
    // Whether the upstream takes further ones.
    [[nodiscard]] virtual bool takes_asks() const { return true; }

  protected:
    QueryClient(ClientControl& control, ReplyTaker& taker)
        : control_(control), account_(control.account()), taker_(taker) {}

    // Of an ask, beside its stream.
    static constexpr std::size_t kAskBytes = node_bytes<std::map<std::uint64_t, StreamId>>();

    // A stream for an ask. No value: none is possible, and the ask has ended.
    std::optional<StreamId> begin(std::uint64_t ask, bool is_possible);
    [[nodiscard]] bool is_waiting(std::uint64_t ask) const { return by_ask_.contains(ask); }
    // The end of an ask that waits; no effect on another one.
    void finish(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message = {},
                const AnswerFacts& facts = {});
    // The same without a reply. Its stream; no value: it has ended before.
    std::optional<StreamId> drop(std::uint64_t ask);
    // All of it has left.
    void note_sent(std::uint64_t ask);
    void note_closed() { --open_; }

    ClientControl& control_;
    Account& account_;
    ReplyTaker& taker_;

  private:
    struct Asked {
        StreamId stream;
        bool is_sent = false;  // to its end
    };
    std::map<std::uint64_t, Asked> by_ask_;
    std::uint64_t asked_ = 0;
    std::size_t open_ = 0;  // streams
};

}  // namespace steer::quic

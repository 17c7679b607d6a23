// The streams of a client's connection, whichever form DNS has on them: whole queries out, answers
// in. Implementations: DNS over QUIC (doq_streams.h) and over HTTP/3 (http3_streams.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "control/streams/quic/application.h"
#include "control/streams/quic/query_taker.h"
#include "control/streams/quic/quic_counters.h"

namespace steer::quic {

class ServerControl : public StreamControl {
  public:
    virtual std::uint64_t now_ms() = 0;
    virtual void count(QuicCount what) = 0;

  protected:
    ~ServerControl() = default;
};

// Why we close a connection. Each protocol has an error code for it.
enum class CloseReason : std::uint8_t { no_error, protocol_error, excessive_load };

class ClientStreams : public Application {
  public:
    // Streams that a client may reset without any answer in between. Each answer allows one more.
    static constexpr unsigned kMostResets = 200;
    // A query that has no answer after this time gets none: it was lost between the processes.
    static constexpr std::uint64_t kAnswerMs = 35'000;

    // A whole query; valid during a call.
    struct Query {
        StreamId stream = 0;
        std::span<const std::uint8_t> message;
        std::uint16_t path = 0;               // of HTTP: its index
        std::string_view forwarded_for = {};  // of HTTP: the header that names the client
    };
    // False: it has no room for the query.
    using Taker = std::function<bool(const Query& query)>;

    ClientStreams(ServerControl& control, Taker taker)
        : control_(control), account_(control.account()), taker_(std::move(taker)) {}

    // The end of a query. False: its stream was closed.
    virtual bool answer(StreamId stream, QueryEnd end, std::span<const std::uint8_t> response) = 0;
    // Ends queries that wait longer than kAnswerMs. Returns their number.
    virtual unsigned expire(std::uint64_t now_ms) = 0;
    // Asks the client to open another connection for further queries.
    virtual void send_away() = 0;

    // Whether no query is open and nothing is to be sent.
    [[nodiscard]] virtual bool is_idle() const = 0;
    // When the oldest incomplete query began; no value: there is none.
    [[nodiscard]] virtual std::optional<std::uint64_t> incomplete_since_ms() const = 0;

    // Bytes of answers that the client has not acknowledged.
    [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_; }
    // Why the connection failed: the client reset too many streams, or sent much without a query.
    [[nodiscard]] bool was_flooded() const { return was_flooded_; }
    [[nodiscard]] std::uint64_t resets() const { return resets_; }

  protected:
    // False: too many without an answer.
    bool note_reset() {
        ++resets_;
        if (resets_left_ > 0) {
            --resets_left_;
            return true;
        }
        was_flooded_ = true;
        return false;
    }
    void note_answer() { resets_left_ = std::min(resets_left_ + 1, kMostResets); }

    ServerControl& control_;
    Account& account_;
    Taker taker_;
    std::size_t unacknowledged_ = 0;
    bool was_flooded_ = false;

  private:
    unsigned resets_left_ = kMostResets;
    std::uint64_t resets_ = 0;
};

}  // namespace steer::quic

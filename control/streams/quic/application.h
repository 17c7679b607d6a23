// What runs over a QUIC connection: DNS (doq_streams.h, doq_client.h) or DNS over HTTP/3
// (http3_streams.h, http3_client.h).
//
// The connection calls it with the bytes of streams, and asks it for bytes to send. Bytes that were
// returned by next_output() must stay where they are until they are acknowledged, or their stream
// is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "control/streams/quic/memory_account.h"

namespace steer::quic {

// A stream's number (RFC 9000 2.1).
using StreamId = std::int64_t;
constexpr bool is_client_initiated(StreamId id) {
    return (id & 1) == 0;
}
constexpr bool is_bidirectional(StreamId id) {
    return (id & 2) == 0;
}

// The connection below an application, as far as it needs it.
class StreamControl {
  public:
    // The peer may send as many more bytes on all streams together.
    virtual void consumed(std::uint64_t bytes) = 0;
    // And on this one.
    virtual void consumed_of(StreamId stream, std::uint64_t bytes) = 0;
    // Resets our side of a stream, and asks the peer to end its own.
    virtual void reset(StreamId stream, std::uint64_t code) = 0;
    // Asks the peer to end its side.
    virtual void stop_reading(StreamId stream, std::uint64_t code) = 0;
    // Opens a unidirectional stream. No value: the peer does not let us.
    virtual std::optional<StreamId> open_uni_stream() = 0;
    // What the application keeps for its streams is charged here.
    virtual Account& account() = 0;

  protected:
    ~StreamControl() = default;
};

class Application {
  public:
    // The error code of the protocol, with which the connection is closed; no value: none.
    using Failure = std::optional<std::uint64_t>;

    virtual ~Application() = default;

    // The peer has opened a stream.
    virtual Failure opened(StreamId stream) = 0;
    // Bytes of a stream, in order. `is_end`: the last ones.
    virtual Failure receive(StreamId stream, std::span<const std::uint8_t> bytes, bool is_end) = 0;
    // The peer reset its side of the stream, with an error code of the protocol.
    virtual Failure cancelled(StreamId stream, std::uint64_t code) = 0;
    // Both sides of the stream have ended, or the peer wants none of our bytes any more.
    virtual Failure closed(StreamId stream) = 0;

    struct Output {
        StreamId stream = -1;
        std::span<const std::uint8_t> bytes;
        bool is_end = false;  // no more follow on this stream
    };
    // The next bytes of a stream that is not blocked. No value: there are none.
    virtual std::optional<Output> next_output() = 0;
    // The first `bytes` of the last output are on their way. With all of them, its end is.
    virtual void sent(StreamId stream, std::size_t bytes) = 0;
    // The peer's window for the stream is full, or open again.
    virtual void blocked(StreamId stream) = 0;
    virtual void unblocked(StreamId stream) = 0;
    // The next `bytes` of the stream have arrived.
    virtual void acknowledged(StreamId stream, std::uint64_t bytes) = 0;
    // The stream takes no more of our bytes.
    virtual void shut(StreamId stream) = 0;
};

}  // namespace steer::quic

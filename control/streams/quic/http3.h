// HTTP/3 (RFC 9114, 9204) on the streams of a connection: nghttp3, which no other file uses.
//
// Neither side gets a dynamic table (RFC 9204 3.2): heads of DNS are short, so a table would save
// little and could be filled. Trailers and unknown frames are ignored. What the peer sends beside
// requests or responses (settings, priorities, reserved streams) has a budget in bytes. The same
// limits apply to servers and clients. What nghttp3 takes from the heap is in the connection's account.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "control/streams/quic/application.h"

struct nghttp3_conn;

namespace steer::quic {

// RFC 9114 8.1.
enum class Http3Error : std::uint64_t {
    no_error = 0x100,
    general_protocol_error = 0x101,
    internal_error = 0x102,
    stream_creation_error = 0x103,
    excessive_load = 0x107,
    request_rejected = 0x10b,
    request_cancelled = 0x10c,
};
constexpr std::uint64_t code_of(Http3Error error) {
    return static_cast<std::uint64_t>(error);
}

struct Http3Field {
    std::string_view name, value;  // names in lower case
};

class Http3 {
  public:
    // Unidirectional streams of the peer: three, and some reserved ones (RFC 9114 6.2).
    static constexpr std::uint64_t kUniStreams = 8;
    // Bytes on these without a request or response; each one allows kUniBytesPerRequest more.
    static constexpr std::size_t kMostUniBytes = 64 * 1024, kUniBytesPerRequest = 1024;

    // What the peer sends on a bidirectional stream.
    class Events {
      public:
        // A head begins; interim ones (RFC 9110 15.2) come before the final one.
        virtual void on_begun(StreamId /*stream*/) {}
        virtual void on_field(StreamId stream, const Http3Field& field) = 0;
        virtual void on_head(StreamId /*stream*/) {}  // all its fields have arrived
        virtual void on_content(StreamId stream, std::span<const std::uint8_t> bytes) = 0;
        virtual void on_end(StreamId stream) = 0;  // all has arrived
        // What the peer sends breaks the rules of messages (RFC 9114 4.1.2): the stream is reset.
        virtual void on_malformed(StreamId stream, std::uint64_t code) = 0;
        // Bytes of our content have arrived.
        virtual void on_acknowledged(StreamId /*stream*/, std::size_t /*bytes*/) {}
        // The stream is over, and its number is not used again.
        virtual void on_closed(StreamId stream) = 0;
        // Our content; it stays where it is until it is acknowledged, or its stream closed.
        virtual std::span<const std::uint8_t> content_of(StreamId stream) = 0;
        // Of a client: the server takes no further requests (GOAWAY), nor those on its streams from
        // this one on.
        virtual void on_away(StreamId /*first_refused*/) {}

      protected:
        ~Events() = default;
    };

    // The server's side of a connection whose handshake is complete. `streams`: that the client may
    // have open; `most_head`: bytes of a head. nullptr: the client does not let us open streams.
    static std::unique_ptr<Http3> server(StreamControl& control, Events& events,
                                         std::uint64_t streams, std::size_t most_head);
    // The client's side of one.
    static std::unique_ptr<Http3> client(StreamControl& control, Events& events,
                                         std::size_t most_head);
    ~Http3();
    Http3(const Http3&) = delete;
    Http3& operator=(const Http3&) = delete;

    // Its calls are those of Application. `was_flooded()`: why one of them failed.
    Application::Failure receive(StreamId stream, std::span<const std::uint8_t> bytes, bool is_end);
    Application::Failure close(StreamId stream);
    std::optional<Application::Output> next_output();
    void sent(StreamId stream, std::size_t bytes);
    void blocked(StreamId stream);
    void unblocked(StreamId stream);
    Application::Failure acknowledged(StreamId stream, std::uint64_t bytes);
    void shut(StreamId stream);
    [[nodiscard]] bool was_flooded() const { return was_flooded_; }

    // Answers a request: a head, then Events::content_of().
    bool respond(StreamId stream, std::span<const Http3Field> head, bool has_content);
    // Sends a request on one of our streams: a head, then Events::content_of().
    bool request(StreamId stream, std::span<const Http3Field> head);
    // What comes on the stream from now on is ignored.
    void ignore(StreamId stream);
    // Asks the peer for no further requests (GOAWAY, RFC 9114 5.2). Those on their way are taken.
    void send_away();

  private:
    friend struct Http3Calls;
    Http3(StreamControl& control, Events& events);
    static std::unique_ptr<Http3> make(StreamControl& control, Events& events,
                                       std::size_t most_head, bool is_server);
    bool open_own_streams();
    // False: nghttp3 found no memory. It is not called again, and the connection ends.
    [[nodiscard]] bool is_usable() const;

    StreamControl& control_;
    Account& account_;
    Events& events_;
    nghttp3_conn* conn_ = nullptr;
    std::uint64_t streams_ = 0;  // that the peer may open in all; 0: we are the client
    std::size_t uni_left_ = kMostUniBytes;
    bool was_flooded_ = false;
    struct Memory;
    std::unique_ptr<Memory> memory_;  // where nghttp3 takes its memory
};

}  // namespace steer::quic

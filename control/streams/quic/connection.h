// A QUIC connection without its socket: datagrams in and out, streams to an Application. RFC 9000,
// 9001 and 9002 are ngtcp2's work.
//
// One thread. Times are nanoseconds of a clock that never goes back. What it takes from the heap is
// in its account (memory_account.h); a connection whose account is spent is over. A closed one keeps
// only its last packet, and a server's keeps no session of TLS after its handshake.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/streams/quic/application.h"
#include "control/streams/quic/connection_id.h"
#include "control/streams/quic/memory_account.h"
#include "control/streams/quic/post_handshake.h"
#include "control/streams/quic/quic_path.h"
#include "control/streams/quic/tls.h"

struct ngtcp2_conn;
struct ngtcp2_settings;

namespace steer::quic {

using Nanoseconds = std::uint64_t;
inline constexpr Nanoseconds kNever = UINT64_MAX;
inline constexpr Nanoseconds kMillisecond = 1'000'000, kSecond = 1'000'000'000;
// The time limit of a handshake (as that of TLS over TCP).
inline constexpr Nanoseconds kHandshakeTime = 5 * kSecond;
// Why a connection ended whose peer did not answer its handshake.
inline constexpr std::string_view kNoAnswer = "no answer";
// Datagrams of at least this many bytes get through everywhere (RFC 9000 14).
inline constexpr std::size_t kSmallestMtu = 1200;

// Limits that the peer learns as transport parameters.
struct TransportSettings {
    Nanoseconds idle_time = 30 * kSecond;
    std::uint64_t streams = 100;     // of the peer, bidirectional, open at once
    std::uint64_t stream_bytes = 0;  // of one stream, in all
    std::uint64_t bytes = 0;         // of all streams together that were not consumed
    std::uint64_t uni_streams = 0;   // unidirectional streams of the peer, ever
    std::uint64_t uni_bytes = 0;     // of one of these that were not consumed
    std::size_t memory = SIZE_MAX;   // of its account, at most
};

class Connection {
  public:
    // The owner of connections.
    class Host {
      public:
        // A new id by which the peer may reach the connection, and the token of its stateless reset.
        struct NewId {
            ConnectionId id;
            std::array<std::uint8_t, 16> reset_token{};
        };
        virtual NewId new_id() = 0;
        virtual void add_id(const ConnectionId& id, Connection& connection) = 0;
        virtual void remove_id(const ConnectionId& id) = 0;
        // Datagrams of `each` bytes, the last one possibly shorter, to one path. `ecn`: RFC 3168.
        virtual void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
                          std::size_t each) = 0;
        virtual void fill_random(std::span<std::uint8_t> bytes) = 0;
        virtual ThreadMemory& memory() = 0;
        // Called once: when the handshake is complete, or with the first early data before that
        // (is_handshake_complete() is false then). The application that serves the connection from
        // now on; nullptr: the connection is closed with `refusal`.
        virtual std::unique_ptr<Application> opened(Connection& connection,
                                                    std::uint64_t& refusal) = 0;
        // The peer has proved that it is reached by another path.
        virtual void moved(Connection& connection, const QuicPath& path) = 0;
        // Of a server: a token by which a client of this path proves its address next time; empty:
        // none.
        virtual std::vector<std::uint8_t> later_token(const QuicPath& path) = 0;
        // Of a client: what the server gives for the next connection, and the streams that may be
        // opened in all.
        virtual void take_ticket(Connection& /*connection*/,
                                 std::vector<std::uint8_t>&& /*ticket*/) {}
        virtual void take_token(Connection& /*connection*/, std::vector<std::uint8_t>&& /*token*/) {
        }
        virtual void streams_allowed(Connection& /*connection*/) {}
        // Of a client after begin_early(): the handshake is complete. `is_early_accepted`: the server
        // took the early data; if not, that is lost. False: the connection is closed with `refusal`.
        virtual bool confirmed(Connection& /*connection*/, bool /*is_early_accepted*/,
                               std::uint64_t& /*refusal*/) {
            return true;
        }

      protected:
        ~Host() = default;
    };

    // The first packet of a client, after its token was checked.
    struct Opening {
        std::uint32_t version = 0;
        ConnectionId destination, source;                  // the client's ids for us and for itself
        std::optional<ConnectionId> original_destination;  // before our Retry
        std::span<const std::uint8_t> token{};             // proved the client's address
        bool may_send_early = false;                       // early data; only with a valid token
    };
    // nullptr: no memory, or nothing that ngtcp2 accepts.
    static std::unique_ptr<Connection> accept(Host& host, std::uint64_t number,
                                              const TransportSettings& settings,
                                              const std::shared_ptr<const ServerTls>& tls,
                                              const Opening& opening, const QuicPath& path,
                                              Nanoseconds now);
    // A connection to a server.
    struct Dial {
        ClientSession session;
        std::span<const std::uint8_t> token{};  // of an earlier connection to this address
        Nanoseconds keep_alive = 0;             // a packet after this time without one; 0: none
        // Of the connection that gave the ticket: its server_parameters(). Not empty: early data may
        // be sent, by begin_early().
        std::span<const std::uint8_t> parameters{};
    };
    // nullptr: no memory, or nothing that GnuTLS accepts.
    static std::unique_ptr<Connection> connect(Host& host, std::uint64_t number,
                                               const TransportSettings& settings,
                                               const std::shared_ptr<const ClientTls>& tls,
                                               const Dial& dial, const QuicPath& path,
                                               Nanoseconds now);
    // Of a client with the parameters of an earlier connection, once after connect(): the application
    // serves it from now on. False: it waits for the handshake, or is to be closed.
    bool begin_early();
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    enum class State : std::uint8_t {
        open,    // also during its handshake
        ending,  // closed by one side: it stays a while for late packets (RFC 9000 10.2)
        over,    // to be forgotten
        retry    // its first packet is to be answered with Retry
    };
    // Why a connection is not open any more.
    // `memory`: its account is spent. It is over at once, without a packet: ngtcp2 and nghttp3 are not
    // called again. The peer gets a stateless reset for its next packet.
    enum class Why : std::uint8_t { none, by_peer, by_us, idle, handshake, protocol, memory };

    State receive(std::span<const std::uint8_t> datagram, unsigned ecn, const QuicPath& path,
                  Nanoseconds now);
    // Sends what is to be sent, as far as the peer and the network let it. Call it after receive()
    // and after the application got answers.
    State write(Nanoseconds now);
    // Its time has come.
    State expire(Nanoseconds now);
    [[nodiscard]] Nanoseconds next_expiry() const;
    // Closes it with an error code of its application.
    State close(std::uint64_t code, Nanoseconds now);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] Why why() const { return why_; }
    // The same about the peer, for people: "it does not speak QUIC version 1"; empty: a normal end.
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] bool is_handshake_complete() const { return is_complete_; }
    // And an application serves it.
    [[nodiscard]] bool is_established() const { return is_complete_ && application_ != nullptr; }
    // Of a client that is established: what early data of its next connection needs.
    [[nodiscard]] std::vector<std::uint8_t> server_parameters() const;
    // The path of its packets now. The peer may not have proved it.
    [[nodiscard]] QuicPath path() const;
    [[nodiscard]] const std::string& server_name() const { return server_name_; }
    // nullptr: of a server, after its handshake.
    [[nodiscard]] gnutls_session_int* session() const { return session_.get(); }
    [[nodiscard]] Account& account() { return account_; }
    [[nodiscard]] const Account& account() const { return account_; }
    // Frees what an ending connection does not need. It has no application then.
    void shrink();

    // ---- for its application

    // The peer may send as many more bytes on all streams together.
    void consumed(std::uint64_t bytes);
    // And on this one.
    void consumed_of(StreamId stream, std::uint64_t bytes);
    // Resets our side of a stream, and asks the peer to end its own.
    void reset(StreamId stream, std::uint64_t code);
    // Asks the peer to end its side.
    void stop_reading(StreamId stream, std::uint64_t code);
    // Opens a unidirectional stream. No value: the peer does not let us.
    std::optional<StreamId> open_uni_stream();
    // A new bidirectional stream; no value: the peer allows none now.
    std::optional<StreamId> open_stream();
    // The number of streams that it allows now.
    [[nodiscard]] std::uint64_t streams_left() const;

  private:
    friend struct Calls;  // ngtcp2's calls, in the source file
    Connection(Host& host, std::uint64_t number, const TransportSettings& settings,
               std::shared_ptr<const void> tls);
    bool begin_application();
    bool ask_host();
    void note_end_by_peer();
    ngtcp2_settings common_settings(std::span<const std::uint8_t> token, Nanoseconds now);
    [[nodiscard]] bool is_usable() const { return conn_ != nullptr && !account_.is_spent(); }
    void add_id(const ConnectionId& id);
    void charge_tls(std::size_t bytes);
    void free_tls();
    State give_up();
    State fail(int error, Nanoseconds now);
    State close_if_failed(Nanoseconds now);
    State end(Why why, Nanoseconds now);
    State close_with_code(std::uint64_t code, Why why, Nanoseconds now);
    template <class SetError>
    State close_with(SetError set, Why why, Nanoseconds now);
    void allow_another();
    class Batch;
    State write_some(Nanoseconds now);

    Host& host_;
    const std::uint64_t number_;
    Account account_;
    std::shared_ptr<const void> tls_;  // what the session refers to
    Session session_;
    std::size_t tls_bytes_ = 0;  // charged for it
    struct Reference;            // what GnuTLS and ngtcp2 refer to
    std::unique_ptr<Reference> reference_;
    ngtcp2_conn* conn_ = nullptr;
    std::unique_ptr<Application> application_;
    Application::Failure failure_;  // of a call below ngtcp2
    bool is_complete_ = false;      // the handshake
    bool is_server_ = false;
    bool has_parameters_ = false;  // of an earlier connection
    bool has_early_key_ = false;
    bool has_begun_ = false;        // the application was asked for, once
    bool has_no_protocol_ = false;  // the peer speaks no protocol that we have
    bool was_reset_ = false;        // stateless
    PostHandshake late_tls_;
    std::string server_name_, reason_;
    std::vector<ConnectionId> ids_;
    std::vector<std::uint8_t> close_packet_;
    QuicPath close_path_;
    std::uint64_t streams_ = 0;        // of the peer, open at once
    std::uint64_t ended_streams_ = 0;  // that it may not replace yet
    unsigned late_packets_ = 0;        // since it is ending
    Nanoseconds ends_ = kNever;        // of `ending`
    State state_ = State::open;
    Why why_ = Why::none;
};

}  // namespace steer::quic

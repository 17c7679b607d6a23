// A client of QUIC for tests: ngtcp2 and GnuTLS used directly, without the code under test. It
// sends what a test says, also what a good client would not.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/streams/quic/quic_path.h"

namespace steer::quic::test {

using Bytes = std::vector<std::uint8_t>;

struct Datagram {
    QuicPath path;  // from the sender's side
    Bytes bytes;
};

// A certificate and its key, as PEM.
struct Pem {
    std::string chain, key;
};

class Client {
  public:
    struct Settings {
        std::string alpn = "doq";  // empty: none
        std::uint16_t port = 40'000;
        std::string address = "192.0.2.10";
        std::uint32_t version = NGTCP2_PROTO_VER_V1;
        Bytes ticket{}, token{};           // of an earlier connection
        const Pem* certificate = nullptr;  // of the client
        std::size_t more_hello = 0;        // bytes of an unknown extension
    };
    Client(const Settings& settings, std::uint64_t now);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Opens a stream and sends these bytes on it.
    std::int64_t send(const Bytes& bytes, bool is_end = true);
    std::int64_t open_uni_stream();
    void more(std::int64_t stream, const Bytes& bytes, bool is_end);
    void reset(std::int64_t stream, std::uint64_t code);
    // A datagram with these frames, which ngtcp2 would not send. Of `Space::initial`: before any answer.
    enum class Space : std::uint8_t { initial, application };
    Datagram forge(const Bytes& frames, Space space = Space::application);
    // What it has to send.
    std::vector<Datagram> write(std::uint64_t now);
    void read(const Datagram& datagram, std::uint64_t now);
    // Its next datagrams come from another port.
    void move_to(std::uint16_t port, std::uint64_t now);
    void expire(std::uint64_t now);
    [[nodiscard]] std::uint64_t expiry() const { return ngtcp2_conn_get_expiry(conn_); }

    [[nodiscard]] bool is_at(const stream::SocketAddress& address) const {
        return address.address() == path_.local.address() && address.port() == path_.local.port();
    }

    struct Stream {
        Bytes received;
        bool is_ended = false;
        std::optional<std::uint64_t> reset;  // the code
    };
    std::map<std::int64_t, Stream> streams;
    bool is_complete = false;  // the handshake
    bool is_resumed = false;
    bool has_reset = false;               // stateless
    std::vector<std::uint32_t> versions;  // of Version Negotiation
    unsigned retries = 0;
    // How the connection ended.
    std::optional<ngtcp2_connection_close_error> end;
    Bytes ticket, token;

  private:
    struct Calls;
    // The keys of a packet number space, and the head of its last packet without the number.
    struct Keys {
        ngtcp2_crypto_aead aead{};
        ngtcp2_crypto_aead_ctx aead_ctx{};
        ngtcp2_crypto_cipher hp{};
        ngtcp2_crypto_cipher_ctx hp_ctx{};
        Bytes iv, head;
        std::uint64_t next = 0;  // packet number
    };
    Bytes extension_;
    std::array<Keys, 2> keys_{};  // by Space
    Keys* last_ = nullptr;        // of the last packet; nullptr: of another space
    struct Out {
        std::int64_t stream;
        Bytes bytes;
        std::size_t sent = 0;
        bool is_end = false;
    };
    QuicPath path_;
    ngtcp2_crypto_conn_ref ref_{};
    gnutls_certificate_credentials_t credentials_ = nullptr;
    gnutls_session_t session_ = nullptr;
    ngtcp2_conn* conn_ = nullptr;
    std::deque<Out> out_;
    std::deque<Bytes> kept_;
};

}  // namespace steer::quic::test

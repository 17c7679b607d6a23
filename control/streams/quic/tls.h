// TLS 1.3 for QUIC, by GnuTLS (OpenSSL 3.0 has no QUIC).
//
// The private key comes from the daemon as text; this process reads no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/quic/memory_account.h"
#include "matchers/result.h"

struct gnutls_session_int;

namespace steer::quic {

struct SessionFree {
    void operator()(gnutls_session_int* session) const noexcept;
};
using Session = std::unique_ptr<gnutls_session_int, SessionFree>;

// What a server's sessions have in common. PEM texts.
struct ServerTlsSettings {
    std::string chain, key;  // the server's certificate first, then its issuers
    std::string client_ca;   // empty: no client certificates are requested
    bool require_client_cert = false;
    std::vector<std::string> protocols;  // ALPN, the preferred one first
    std::string ticket_key;              // kTicketKeyBytes random bytes; empty: no tickets
    // Clients may send queries with their handshake (0-RTT, RFC 9001 4.6). Not beside `client_ca`.
    bool early_data = false;
    bool operator==(const ServerTlsSettings&) const = default;
};
inline constexpr std::size_t kTicketKeyBytes = 64;

// Any thread. Sessions keep it alive by their connection. Constant, except the memory of early data
// behind a lock: up to 65,536 hellos, each for 10 s, which are counted as memory of the process.
class ServerTls {
  public:
    // No `memory`: hellos are not counted.
    static Result<std::shared_ptr<const ServerTls>> make(
        const ServerTlsSettings& settings, std::shared_ptr<ProcessMemory> memory = nullptr);
    ~ServerTls();
    ServerTls(const ServerTls&) = delete;
    ServerTls& operator=(const ServerTls&) = delete;

    // A new session without its connection; nullptr: there is no memory. `may_send_early`: early
    // data is accepted if the settings let it. The client has proved its address.
    [[nodiscard]] Session session(bool may_send_early) const;

  private:
    struct Impl;
    explicit ServerTls(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// One session of a client.
struct ClientSession {
    std::string server_name;                 // sent to the server; empty: it is an address
    std::string protocol;                    // ALPN
    std::span<const std::uint8_t> ticket{};  // of an earlier session; empty: none
    bool early_data = false;                 // send it, if the ticket lets us
};

// What the sessions of clients have in common: no certificate, and no authorities. The owner judges
// the server's chain (peer_chain()) before it uses a connection; GnuTLS checks that the server has
// the key of its certificate. Constant once it is made; any thread.
class ClientTls {
  public:
    static Result<std::shared_ptr<const ClientTls>> make();
    ~ClientTls();
    ClientTls(const ClientTls&) = delete;
    ClientTls& operator=(const ClientTls&) = delete;

    // A new session without its connection; nullptr: there is no memory.
    [[nodiscard]] Session session(const ClientSession& settings) const;

  private:
    struct Impl;
    explicit ClientTls(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Random bytes that cannot be guessed.
void fill_random(std::span<std::uint8_t> bytes);

// Facts about a session whose handshake is complete.
std::string requested_name(gnutls_session_int* session);  // empty: the client named none
bool is_resumed(gnutls_session_int* session);
// Of a client: the server has accepted its early data.
bool is_early_accepted(gnutls_session_int* session);
// A client that offers no protocol speaks no protocol that we have (RFC 9001 8.1).
bool has_protocol(gnutls_session_int* session);
// The certificates that the peer has sent, its own first, in DER; empty: none.
std::vector<std::string> peer_chain(gnutls_session_int* session);
// What resumes the session; empty: nothing does.
std::vector<std::uint8_t> ticket_of(gnutls_session_int* session);
// An alert of TLS in words.
std::string alert_text(std::uint8_t alert);
// Sends the client a ticket for its next connection.
void send_ticket(gnutls_session_int* session);

}  // namespace steer::quic

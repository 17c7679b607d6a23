// The keys of session tickets (RFC 5077, RFC 8446 4.6.1). With a ticket, a returning client need
// not exchange certificates. One set per server, used by all its threads and kept when certificates
// are renewed.
//
// A key creates tickets for kLifeMs and reads them for the same time again. Then it is destroyed,
// and can no longer decrypt recorded traffic (these keys determine forward secrecy). The server's
// own keys are in memory only: after a restart tickets are invalid, and a full handshake follows.
// Several appliances may use shared keys (ticket_server.h).
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "dataplane/base/clock.h"

namespace steer::stream {

struct TicketKey {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};  // AES-256-CBC
    std::array<unsigned char, 32> mac{};     // HMAC-SHA256
};
static_assert(sizeof(TicketKey) == 80);  // KeySealer seals its bytes
// Returns false if the system gives no random numbers.
bool fill_random(TicketKey& key);

class TlsTickets {
  public:
    static constexpr std::uint64_t kLifeMs = 24 * 3'600'000;

    explicit TlsTickets(Clock& clock) : clock_(clock) {}
    ~TlsTickets();
    TlsTickets(const TlsTickets&) = delete;
    TlsTickets& operator=(const TlsTickets&) = delete;

    // Uses these keys for the tickets of `context`. The keys must outlive it.
    void serve(SSL_CTX* context);
    // Adds a shared key. In this time it creates tickets instead of the server's own keys. It reads
    // them for kLifeMs more. Any thread.
    void share(const TicketKey& key, std::uint64_t from_ms, std::uint64_t until_ms);

  private:
    static constexpr std::size_t kMaxShared = 8;
    struct Key : TicketKey {
        std::uint64_t born_ms = 0;
        bool is_set = false;
    };
    struct SharedKey : TicketKey {
        std::uint64_t from_ms = 0, until_ms = 0;
    };
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int makes);
    bool current(TicketKey& out);
    // 0: no such key; 1: the current one; 2: another one, so a new ticket is due.
    int find(const unsigned char* name, TicketKey& out);
    void rotate(std::uint64_t now_ms);
    [[nodiscard]] const SharedKey* shared(std::uint64_t now_ms) const;

    Clock& clock_;
    std::mutex mutex_;
    Key current_, previous_;
    std::vector<SharedKey> shared_;
};

}  // namespace steer::stream

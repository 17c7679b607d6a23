// The keys of session tickets (RFC 5077, RFC 8446 4.6.1): a client that comes back need not
// exchange certificates. One set for a server, used by all of its threads and kept over renewed
// certificates.
//
// A key makes tickets for kLifeMs and reads them for as long again; then it is gone, and with it
// what was recorded under it (forward secrecy is that of these keys). In memory only: after a
// restart tickets mean nothing, and a full handshake follows.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "dataplane/base/clock.h"

namespace steer::stream {

class TlsTickets {
  public:
    static constexpr std::uint64_t kLifeMs = 24 * 3'600'000;

    explicit TlsTickets(Clock& clock) : clock_(clock) {}
    ~TlsTickets();
    TlsTickets(const TlsTickets&) = delete;
    TlsTickets& operator=(const TlsTickets&) = delete;

    // Tickets of connections of `context` are made and read by these keys, which outlive it.
    void serve(SSL_CTX* context);

  private:
    struct Key {
        std::array<unsigned char, 16> name{};
        std::array<unsigned char, 32> cipher{};  // AES-256-CBC
        std::array<unsigned char, 32> mac{};     // HMAC-SHA256
        std::uint64_t born_ms = 0;
        bool is_set = false;
    };
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int makes);
    bool current(Key& out);
    // 0: no such key; 1: the current one; 2: the one before, so a new ticket is due.
    int find(const unsigned char* name, Key& out);
    void rotate(std::uint64_t now_ms);

    Clock& clock_;
    std::mutex mutex_;
    Key current_, previous_;
};

}  // namespace steer::stream

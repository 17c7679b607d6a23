// A TLS server with session tickets that several appliances can read: they share its ticket keys.
//
// A shared key is sealed: encrypted with a key derived from the certificate's private key
// (AES-256-GCM, HKDF-SHA256). So only servers with the same private key can read it. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace steer::stream {

class TicketServer {
  public:
    virtual ~TicketServer() = default;
    // Servers of one group share keys: they have the same private key and protocols. Letters and
    // digits; empty: no certificate yet.
    [[nodiscard]] virtual std::string ticket_group() const = 0;
    // A new key, sealed; empty: no certificate yet, or no random numbers.
    [[nodiscard]] virtual std::string new_ticket_key() const = 0;
    // The key creates tickets from `from_ms` to `until_ms` (ms of the server's clock). It reads
    // tickets before that time, and for TlsTickets::kLifeMs after it. Returns false if this group
    // did not seal it.
    virtual bool use_ticket_key(std::string_view sealed, std::uint64_t from_ms,
                                std::uint64_t until_ms) = 0;
};

}  // namespace steer::stream

// Seals the ticket keys that servers with the same certificate share (ticket_server.h).
#pragma once

#include <openssl/evp.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "control/host/net/tls_tickets.h"

namespace steer::stream {

class KeySealer {
  public:
    KeySealer() = default;
    ~KeySealer();
    KeySealer(const KeySealer&) = delete;
    KeySealer& operator=(const KeySealer&) = delete;

    // `protocols` distinguish servers with the same certificate. Returns false if there is no
    // memory; then nothing can be sealed.
    bool take(EVP_PKEY* key, std::string_view protocols);
    [[nodiscard]] const std::string& group() const { return group_; }  // empty: no key yet

    [[nodiscard]] std::string seal(const TicketKey& key) const;  // empty: it failed
    [[nodiscard]] std::optional<TicketKey> open(std::string_view sealed) const;

  private:
    std::array<unsigned char, 32> secret_{};
    std::string group_;
};

}  // namespace steer::stream

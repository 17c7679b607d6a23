// TLS messages that come after the handshake, in CRYPTO frames of protected packets.
//
// A server may send tickets. A client may send nothing, because it is asked for no certificate then
// (RFC 9001 4.4). KeyUpdate is forbidden to both (RFC 9001 6). GnuTLS accepts it, and ngtcp2 would
// end the process when the keys change.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace steer::quic {

class PostHandshake {
  public:
    // The next bytes of a server. False: they have another message than a ticket.
    bool take_tickets(std::span<const std::uint8_t> bytes) {
        while (!bytes.empty()) {
            if (body_left_ > 0) {
                const std::size_t part = std::min<std::size_t>(body_left_, bytes.size());
                body_left_ -= static_cast<std::uint32_t>(part);
                bytes = bytes.subspan(part);
                continue;
            }
            head_[head_bytes_++] = bytes.front();
            bytes = bytes.subspan(1);
            if (head_[0] != kNewSessionTicket) return false;
            if (head_bytes_ < head_.size()) continue;
            head_bytes_ = 0;
            body_left_ = std::uint32_t{head_[1]} << 16 | std::uint32_t{head_[2]} << 8 | head_[3];
        }
        return true;
    }

  private:
    static constexpr std::uint8_t kNewSessionTicket = 4;  // RFC 8446 4
    std::array<std::uint8_t, 4> head_{};                  // its type and its length
    std::size_t head_bytes_ = 0;
    std::uint32_t body_left_ = 0;
};

}  // namespace steer::quic

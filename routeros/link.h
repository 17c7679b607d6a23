// The interfaces between a router's session and its connection. Neither has a clock: times are ms
// of CLOCK_BOOTTIME.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steer::routeros {

// The connection. Its user calls it; the answers are calls of connected() and closed().
class RouterLink {
  public:
    virtual ~RouterLink() = default;
    virtual void connect() = 0;
    virtual void close() = 0;  // closed() is not called
    virtual void send(std::string_view bytes) = 0;
    // Since when the socket has not accepted bytes of send(). No value: it has accepted all.
    [[nodiscard]] virtual std::optional<std::uint64_t> unsent_since_ms() const { return {}; }
};

// The connection's user.
class LinkUser {
  public:
    virtual ~LinkUser() = default;
    virtual void connected(std::uint64_t now_ms) = 0;
    virtual void received(std::string_view bytes, std::uint64_t now_ms) = 0;
    virtual void closed(std::string_view why, std::uint64_t now_ms) = 0;
    // Does the work that is due. Call it at next_deadline() at the latest; earlier calls are
    // harmless.
    virtual void tick(std::uint64_t now_ms) = 0;
    [[nodiscard]] virtual std::uint64_t next_deadline() const = 0;
};

}  // namespace steer::routeros

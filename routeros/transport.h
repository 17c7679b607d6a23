// The socket of a Router, a LeaseReader or a connection to Redis: TCP, TLS or a Unix socket with
// Boost.Asio, and the timer that drives it.
//
// Everything runs on the thread of `io` (one strand, no locks). It calls its user's functions only
// there. Make claims there too, and then call wake(). TCP_NODELAY, TCP_USER_TIMEOUT
// `send_timeout_ms`, connect (name, TCP, TLS) within `connect_timeout_ms`. Sends during a pending
// send are combined. TLS: by the system's authorities, by `ca`, by `pin`, or anonymous. (A RouterOS
// without certificate offers only ADH, TLS 1.2: encrypted, but open to an attacker in the middle.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "routeros/address.h"
#include "routeros/link.h"
#include "routeros/tls.h"

namespace boost::asio {
class io_context;
}

namespace steer::routeros {

struct TransportConfig {
    std::string path;  // of a Unix socket; then host and port are unused
    std::string host;  // address or name
    std::uint16_t port = 8728;
    TlsConfig tls;
    std::uint32_t connect_timeout_ms = 5000;
    std::uint32_t send_timeout_ms = 5000;  // without acknowledgement by the router's TCP: dead
    std::string peer = "the router";       // for messages
    bool operator==(const TransportConfig&) const = default;
};

// Why a connection was not made, or ended.
struct LinkFailure {
    enum class Stage : std::uint8_t { name, connection, tls, open } stage = Stage::name;
    std::string cause{};
    bool is_late = false;  // there was no answer in time
    long certificate_error =
        0;  // that the server's certificate was refused with, X509_V_ERR_…; 0: none
    // As LinkUser::closed() gets it.
    [[nodiscard]] std::string text() const { return (stage == Stage::tls ? "TLS: " : "") + cause; }
};

class Transport final : public RouterLink {
  public:
    using Clock = std::function<std::uint64_t()>;  // ms of CLOCK_BOOTTIME

    Transport(boost::asio::io_context& io, TransportConfig config, Clock clock);
    ~Transport() override;

    // Sets the user. Call it once, before its start(); the user must live until stop().
    void drive(LinkUser& user);
    // `resolved` gets the addresses of the host before each connection. Call it once, before the
    // user's start().
    using Resolved = std::function<void(std::span<const AddressBytes>)>;
    void on_resolved(Resolved resolved);
    // Call it if the user may have an earlier deadline: after claim(), start(), configure(),
    // cleanup().
    void wake();
    // Sets the configuration of connections from now on; the present one stays.
    void configure(TransportConfig config);
    // Of the last connection that was reported by closed().
    [[nodiscard]] const LinkFailure& failure() const;
    // Our address of the connection, as text; empty: there is none.
    [[nodiscard]] std::string local_address() const;
    // Closes and releases the user; makes no calls afterwards.
    void stop();

    void connect() override;
    void close() override;
    void send(std::string_view bytes) override;
    [[nodiscard]] std::optional<std::uint64_t> unsent_since_ms() const override;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

// Parses "host", "host:port", "[v6]:port"; the default port is 8728, or 8729 with TLS. Empty host:
// not valid.
TransportConfig parse_router_address(const std::string& address, const TlsConfig& tls);

}  // namespace steer::routeros

// The transports that clients use, one row each. A query over HTTPS counts as DoH even if a proxy
// ends its TLS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer {

//    name, ALPN of TLS (the preferred one; empty: none), SocketProtocol of dnstap, default port,
//    whether a client may send early data (0-RTT) over TCP; over QUIC, `early_data` says it
#define STEER_CLIENT_TRANSPORTS(X) \
    X(udp, "", 1, 53, false)       \
    X(tcp, "", 2, 53, false)       \
    X(dot, "dot", 3, 853, false)   \
    X(doh, "h2", 4, 443, false)    \
    X(doq, "doq", 7, 853, false)   \
    X(doh3, "h3", 4, 443, false)

// "`udp`, `tcp`, ...", for the documentation; it ends with a comma and a blank.
#define STEER_TRANSPORT_LABEL(name, alpn, dnstap, port, early_data) "`" #name "`, "
#define STEER_TRANSPORT_LABELS STEER_CLIENT_TRANSPORTS(STEER_TRANSPORT_LABEL)

#define STEER_TRANSPORT_NAME(name, alpn, dnstap, port, early_data) name,
enum class ClientTransport : std::uint8_t { STEER_CLIENT_TRANSPORTS(STEER_TRANSPORT_NAME) count_ };
#undef STEER_TRANSPORT_NAME

struct TransportRow {
    std::string_view label;  // in metrics, records and traces
    std::string_view alpn;
    std::uint8_t dnstap;
    std::uint16_t default_port;
    bool early_data;
};
#define STEER_TRANSPORT_ROW(name, alpn, dnstap, port, early_data) \
    TransportRow{#name, alpn, dnstap, port, early_data},
inline constexpr std::array kClientTransports{STEER_CLIENT_TRANSPORTS(STEER_TRANSPORT_ROW)};
#undef STEER_TRANSPORT_ROW

constexpr const TransportRow& row_of(ClientTransport transport) {
    return kClientTransports[static_cast<std::size_t>(transport)];
}

}  // namespace steer

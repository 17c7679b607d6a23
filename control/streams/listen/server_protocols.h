// The facts of each protocol of servers, from its row in control/config/settings/server_protocol.h.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/server_protocol.h"
#include "dataplane/base/client_transport.h"

namespace steer::stream {

using config::ServerProtocol;

struct ProtocolFacts {
    std::string_view plain_label;
    ClientTransport plain, secured;
    std::string_view further_alpn;

    [[nodiscard]] ClientTransport transport(bool has_tls) const {
        return has_tls ? secured : plain;
    }
    // Of a connection, in the metric of connections.
    [[nodiscard]] std::string_view label(bool has_tls) const {
        return has_tls ? row_of(secured).label : plain_label;
    }
    // What TLS accepts, the preferred one first.
    [[nodiscard]] std::vector<std::string> alpn() const {
        std::vector<std::string> all{std::string(row_of(secured).alpn)};
        if (!further_alpn.empty()) all.emplace_back(further_alpn);
        return all;
    }
};

#define STEER_PROTOCOL_FACTS(name, label, plain, secured, alpn, connection) \
    ProtocolFacts{label, ClientTransport::plain, ClientTransport::secured, alpn},
inline constexpr std::array kProtocolFacts{STEER_SERVER_PROTOCOLS(STEER_PROTOCOL_FACTS)};
#undef STEER_PROTOCOL_FACTS

constexpr const ProtocolFacts& facts_of(ServerProtocol protocol) {
    return kProtocolFacts[static_cast<std::size_t>(protocol)];
}

}  // namespace steer::stream

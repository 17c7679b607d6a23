// Binds the sockets that we listen on. An error is a sentence that says what the operator must do.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::stream {

// The socket's protocol: udp or tcp, also below TLS and HTTP; doq: UDP with a port that several of
// our sockets share (quic_sockets.h).
using Transport = ClientTransport;

struct ListenAddress {
    Transport transport = Transport::udp;
    IpAddress address;
    std::uint16_t port = 53;  // host order; 0: the kernel chooses
    int scope = 0;            // interface of a link-local address; 0: the first that has it

    auto operator<=>(const ListenAddress&) const = default;
    [[nodiscard]] std::string_view transport_name() const {
        return transport == Transport::tcp ? "TCP" : "UDP";
    }
};

// A bound, non-blocking socket (listening, if TCP), owned by the caller. A tentative IPv6 address
// is bound as well (IPV6_FREEBIND). If the address's interface is in a VRF, the socket is bound in
// the VRF.
Result<int> open_listen_socket(const ListenAddress& where);

}  // namespace steer::stream

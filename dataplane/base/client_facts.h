// The sender of a query, and the transport and frontend that received it. It is copied as a whole
// from the packet to the program's context, and to the record of a parked query.
//
// The texts that a client of `streams` sends with its query (TLS server name, URL path) stay in the
// query's buffer (injected_texts.h). The reference to that buffer is passed on in the same places.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct ClientFacts {
    static constexpr std::uint16_t kNoVlan = UINT16_MAX;

    IpAddress address;
    std::uint16_t port = 0;  // host order
    // Fields of the frame, as read_link_facts() (stages/frame.h) reads them. A packet has them only
    // in its frame.
    std::uint16_t vlan =
        kNoVlan;  // id of the innermost tag; 0: no tag; kNoVlan: no frame, or not read
    std::array<std::uint8_t, 6> mac{};  // the frame's source; zeros: no frame, or not read
    ClientTransport transport = ClientTransport::udp;
    std::uint8_t entry =
        0;  // of the program; set by the frontend that received the query; 0 until find_entries()

    [[nodiscard]] bool is_udp() const { return transport == ClientTransport::udp; }
};
static_assert(sizeof(ClientFacts) == 28 && alignof(ClientFacts) == 2);

}  // namespace steer
